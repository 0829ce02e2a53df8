/** Whether a path of this machine is the very storage that a container sees. */
export type PathProof =
  | { readonly proven: true; readonly path: string }
  /** `reason` is a clause: `the volume has options (type, device), so …`. */
  | {
      readonly proven: false;
      readonly reason: string;
      /** False where a mover container could not reach it either. */
      readonly containerHelps: boolean;
    };

export function unproven(reason: string, { containerHelps = true } = {}): PathProof {
  return { proven: false, reason, containerHelps };
}
