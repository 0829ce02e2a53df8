import packageFile from '../package.json' with { type: 'json' };

/** Who made a snapshot, as restic writes it into its field `program_version`. */
export const programVersion = `holdfast ${packageFile.version}`;
