/**
 * `open-loop URL METHOD PER_SECOND FILE` sends requests at a steady rate, whether earlier ones were answered or not, until
 * its standard input ends; then it waits for what is under way. A request's time counts from the moment at which it
 * was due, so that nothing which holds up requests hides those that had to be sent meanwhile.
 *
 * Each line of the file is one request: when it was due (milliseconds since the Unix epoch), how long its answer took
 * (milliseconds), the status or 0, and the answer's first word or the reason why there was none.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

const [url = '', method = 'GET', perSecond = '', path = ''] = process.argv.slice(2);
const everyMs = 1000 / Number(perSecond);
const agent = new Agent({ keepAlive: true });
const linesPerWrite = 5000;

let lines: string[] = [];
let underWay = 0;
let isEnding = false;
let sent = 0;
const startedAt = performance.now() + 10;

writeFileSync(path, '');
process.stdin.resume().on('end', () => {
  isEnding = true;
  clearInterval(timer);
  endWhenDone();
});
const timer = setInterval(sendWhatIsDue, 1);

function sendWhatIsDue(): void {
  for (const now = performance.now(); startedAt + sent * everyMs <= now; sent += 1) {
    send(startedAt + sent * everyMs);
  }
}

function send(dueAt: number): void {
  underWay += 1;
  const end = (status: number, word: string): void => {
    const took = performance.now() - dueAt;
    lines.push(`${(performance.timeOrigin + dueAt).toFixed(2)} ${took.toFixed(3)} ${status} ${word}\n`);
    underWay -= 1;
    if (lines.length >= linesPerWrite) save();
    endWhenDone();
  };
  const outgoing = request(url, { method, agent }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    response.on('end', () => end(response.statusCode ?? 0, text.split(/\s/, 1)[0] || '-'));
    response.on('error', (error) => end(0, codeOf(error)));
  });
  outgoing.on('error', (error) => end(0, codeOf(error)));
  outgoing.end();
}

function endWhenDone(): void {
  if (!isEnding || underWay > 0) return;
  save();
  agent.destroy();
}

function save(): void {
  appendFileSync(path, lines.join(''));
  lines = [];
}

function codeOf(error: Error): string {
  return String('code' in error ? error.code : error.message).replaceAll(/\s/g, '_');
}
