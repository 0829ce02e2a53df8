import type { Figure } from './figure.ts';

/** One line for who watches. */
export function figureLine({ case: name, ours, peer, peer_name, ratio, unit, reach, met }: Figure): string {
  const verdict = met === null ? '' : met ? ', met' : ', NOT met';
  return `${name}: ${ours} ${unit} beside ${peer} of ${peer_name}: ratio ${ratio} (${reach}${verdict})`;
}
