/** Part of a network that cannot be used. */
export interface Problem {
  /** Path below `/network/`. */
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
}
