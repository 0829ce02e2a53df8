/** Whether a path of this machine is the very storage that a container sees. */
export type PathProof =
  | { readonly proven: true; readonly path: string }
  /** `reason` is a clause: `the volume has options (type, device), so …`. */
  | { readonly proven: false; readonly reason: string };

export function unproven(reason: string): PathProof {
  return { proven: false, reason };
}
