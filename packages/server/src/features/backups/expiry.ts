import { HoldfastError } from '@holdfast/base';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * The end of a retention such as `12h`, `30d`, `4w`, `6M` or `1y`, in UTC. Months and years are steps of the calendar:
 * from a day that the target month does not have, they lead to its last.
 *
 * @throws HoldfastError `usage-invalid` for anything else
 */
export function expiryOf(startMs: number, retention: string): number {
  const parts = /^(?<count>[1-9][0-9]{0,4})(?<unit>[hdwMy])$/.exec(retention)?.groups;
  const count = Number(parts?.count);
  switch (parts?.unit) {
    case 'h':
      return startMs + count * hourMs;
    case 'd':
      return startMs + count * dayMs;
    case 'w':
      return startMs + count * 7 * dayMs;
    case 'M':
      return addMonths(startMs, count);
    case 'y':
      return addMonths(startMs, count * 12);
    default:
      throw new HoldfastError('usage-invalid', `${retention} is not a retention.`, {
        hint: 'Write a number and a unit: 12h, 30d, 4w, 6M or 1y.',
      });
  }
}

function addMonths(startMs: number, months: number): number {
  const start = new Date(startMs);
  const end = new Date(startMs);
  end.setUTCDate(1);
  end.setUTCMonth(start.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate();
  end.setUTCDate(Math.min(start.getUTCDate(), lastDay));
  return end.getTime();
}
