/** What one job may use. */
export type Limits = {
  seconds: number;
  /** Memory of all processes together, in bytes. */
  memoryBytes: number;
  /** Everything in the job's folder, in bytes; also the size of any one file. */
  diskBytes: number;
  /** Processes and threads together. */
  processes: number;
  logBytes: number;
};

export type Limit = 'seconds' | 'memory' | 'disk' | 'processes' | 'log';
