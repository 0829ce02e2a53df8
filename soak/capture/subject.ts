import type { AppEnvironment } from '../../bench/environment/app-environment.ts';

/** Something that was written as a whole, and whose end somebody was told. Times are milliseconds since the Unix epoch. */
export interface Commit {
  readonly id: number;
  /** Before anything of it was written. */
  readonly startedMs: number;
  /** It was complete by then. */
  readonly endedMs: number;
}

/** A row that is there after the restore. */
export interface FoundRow {
  readonly id: number;
  readonly startedMs: number;
}

/** What is there after a restore. */
export interface Found {
  readonly rows: readonly FoundRow[];
  /** What is wrong in itself, whatever was committed. */
  readonly problems: readonly string[];
}

/** An app that writes without end. Disposing it ends what writes from outside, and leaves its containers. */
export interface Subject extends AsyncDisposable {
  /** Ends what writes from outside, if there is something; what it committed since the last time, or all that is known. */
  quiesce(): Promise<readonly Commit[]>;
  /** Looks at everything once the app runs again after a restore. */
  find(): Promise<Found>;
  /** Writes again. */
  resume(): Promise<void>;
}

/** A kind of app. */
export interface SubjectKind {
  readonly name: string;
  /** Folders of the project's folder that the restore has to bring back after their files were removed. */
  readonly wrecked: readonly string[];
  /** Starts it in an environment that has nothing yet, and has it write. */
  open(environment: AppEnvironment): Promise<Subject>;
}
