/** One thing that a node needs, or should have. */
export interface Finding {
  readonly check: string;
  readonly verdict: "ok" | "warning" | "failed";
  readonly is: string;
  readonly remedy: string | undefined;
}
