import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';

/**
 * What runs a command inside a container: a POSIX shell that tells its process group as the first line of its output, and
 * the exit code at last among its errors. The group is needed at once, and what is on standard error may reach us only
 * after much of the output. The engine makes each exec the leader of a session, so that the group is the shell's own id
 * and holds whatever the command starts, unless that leaves it.
 */
const script = `printf '\\001%s group %s\\n' "$0" "$$"
/bin/sh -c "$1"
code=$?
printf '\\001%s exit %s\\n' "$0" "$code" >&2
exit "$code"`;

/** `members GROUP`: process and parent of each that lives in the group, but for its leader. */
const members = `members() {
  for stat in /proc/[0-9]*/stat; do
    process=\${stat#/proc/}
    process=\${process%/stat}
    [ "$process" = "$1" ] && continue
    read -r line 2>/dev/null <"$stat" || continue
    set -- "$1" \${line##*) }
    [ "$4" = "$1" ] && [ "$2" != Z ] && echo "$process $3"
  done
}`;

/**
 * The same for a command that reads its input to the end. That end reaches it only once it is confirmed that all of the
 * input was written: whoever wrote it may have died, and the engine then ends the input all the same. Unconfirmed, or if
 * what passes it on fails while the command still reads, the command is killed first.
 */
const guardedScript = `printf '\\001%s group %s\\n' "$0" "$$"
/bin/sh -c "$2" "$0-input" "$0" "$$" | /bin/sh -c "$1"
code=$?
printf '\\001%s exit %s\\n' "$0" "$code" >&2
exit "$code"`;

const confirmSeconds = 60;
const feedScript = `${members}
leave() { kill -9 "$!" 2>/dev/null; wait "$!" 2>/dev/null; exit "$1"; }
exec 3<&0
trap '' USR1
trap 'leave 1' TERM
cat <&3 &
wait "$!"
case $? in
0)
  trap 'leave 0' USR1
  printf '\\001%s input %s\\n' "$1" "$$" >&2
  sleep ${confirmSeconds} >/dev/null 2>&1 &
  wait "$!"
  ;;
${128 + constants.signals.SIGPIPE}) exit ;;
esac
members "$2" | while read -r process parent; do
  [ "$process" = "$$" ] || [ "$parent" = "$$" ] || kill -9 "$process"
done
exit 1`;

const confirmScript = `case "$(cat "/proc/$1/cmdline" 2>/dev/null)" in
*"$0"*) kill -USR1 "$1" ;;
*) exit 1 ;;
esac`;

const namePrefix = 'holdfast-command-';

/**
 * `end_group GROUP`: kills all of it but the leader, which is left to collect them and ends by itself. A container's first
 * process would collect the others' children instead, and PostgreSQL takes one that was killed for its own and starts
 * anew. What feeds the command goes last, so that no end of its input is seen. Fails if there was nothing to kill.
 */
const endGroup = `${members}
end_group() {
  tries=0
  while all=$(members "$1"); [ -n "$all" ]; do
    if [ "$tries" -ge 50 ]; then
      kill -9 "-$1"
      return 0
    fi
    feeder= others=
    for process in $(echo "$all" | cut -d ' ' -f 1); do
      case "$(tr '\\0' ' ' <"/proc/$process/cmdline" 2>/dev/null)" in
      /bin/sh*${namePrefix}*-input*) feeder=$process ;;
      esac
    done
    for process in $(echo "$all" | while read -r process parent; do
      [ "$process" = "$feeder" ] || [ "$parent" = "$feeder" ] || echo "$process"
    done); do
      others=yes
      kill -9 "$process" 2>/dev/null
    done
    [ -n "$others" ] || kill "$feeder" 2>/dev/null
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
  [ "$tries" -gt 0 ]
}`;

/**
 * Ends the group, but only while its leader is that wrapper, or was until just now: its id may be another's later. Exits
 * with 0 if something of it was alive; what has ended and was not waited for is not.
 */
const killScript = `${endGroup}
case "$2$(cat "/proc/$1/cmdline" 2>/dev/null)" in
*"$0"*) end_group "$1" ;;
*) exit 1 ;;
esac`;

/** Ends the groups of all wrappers that there are, and prints how many. */
const killAllScript = `${endGroup}
count=0
for leader in /proc/[0-9]*; do
  leader=\${leader#/proc/}
  [ "$leader" = "$$" ] && continue
  read -r line 2>/dev/null <"/proc/$leader/stat" || continue
  set -- \${line##*) }
  [ "$3" = "$leader" ] || continue
  case "$(tr '\\0' ' ' <"/proc/$leader/cmdline" 2>/dev/null)" in
  */bin/sh*${namePrefix}*) end_group "$leader" && count=$((count + 1)) ;;
  esac
done
echo "$count"`;

export const killAllWrapped: readonly string[] = ['/bin/sh', '-c', killAllScript, 'holdfast-kill-all'];

/** One run of a command, by a name that nothing else has. */
export class CommandWrapper {
  readonly name = `${namePrefix}${randomBytes(8).toString('hex')}`;

  run(command: string): string[] {
    return ['/bin/sh', '-c', script, this.name, command];
  }

  /** As `run`, with an input whose end has to be confirmed. */
  runGuarded(command: string): string[] {
    return ['/bin/sh', '-c', guardedScript, this.name, command, feedScript];
  }

  /** The process group that the first line of its output tells; undefined where that is nothing of the wrapper's. */
  groupIn(line: string): number | undefined {
    const start = `\u0001${this.name} group `;
    return line.startsWith(start) ? Number(line.slice(start.length)) : undefined;
  }

  /** @param feeder as the wrapper told it at the end of the input */
  confirm(feeder: number): string[] {
    return ['/bin/sh', '-c', confirmScript, this.name, String(feeder)];
  }

  /** @param hasEnded the wrapper told its exit code a moment ago: what is left of the group keeps its id */
  kill(group: number, hasEnded: boolean): string[] {
    return ['/bin/sh', '-c', killScript, this.name, String(group), hasEnded ? this.name : ''];
  }
}

/** What the wrapper says among the command's own standard error. */
export type WrapperNote =
  /** The input has ended; the process that waits to hear whether that was all of it. */
  { readonly feeder: number } | { readonly exitCode: number };

/** Parts the wrapper's lines from what the command itself writes to standard error, piece by piece. */
export class WrapperNotes {
  readonly #marker: Buffer;
  readonly #onNote: (note: WrapperNote) => void;
  #rest = Buffer.alloc(0);

  constructor(name: string, onNote: (note: WrapperNote) => void) {
    this.#marker = Buffer.from(`\u0001${name} `);
    this.#onNote = onNote;
  }

  /** What of it, and of what was kept back before, is the command's. */
  take(bytes: Uint8Array): Buffer {
    const own: Buffer[] = [];
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const start = this.#rest.indexOf(this.#marker);
      const end = start === -1 ? -1 : this.#rest.indexOf('\n', start);
      if (end === -1) {
        const kept = start === -1 ? this.#beginningOfMarker() : start;
        own.push(this.#rest.subarray(0, kept));
        this.#rest = this.#rest.subarray(kept);
        return Buffer.concat(own);
      }
      own.push(this.#rest.subarray(0, start));
      this.#note(this.#rest.toString('utf8', start + this.#marker.length, end));
      this.#rest = this.#rest.subarray(end + 1);
    }
  }

  /** Where at the end of what is there a marker may begin. */
  #beginningOfMarker(): number {
    const last = this.#rest.lastIndexOf(this.#marker[0] ?? 0);
    if (last === -1) return this.#rest.length;
    return this.#marker.subarray(0, this.#rest.length - last).equals(this.#rest.subarray(last))
      ? last
      : this.#rest.length;
  }

  #note(text: string): void {
    const [, what, number] = /^(input|exit) (\d+)$/.exec(text) ?? [];
    if (what === 'input') this.#onNote({ feeder: Number(number) });
    if (what === 'exit') this.#onNote({ exitCode: Number(number) });
  }
}
