/** Result of a check of a requirement or recommendation for a host. */
export interface Finding {
  readonly check: string;
  readonly verdict: "ok" | "warning" | "failed";
  readonly is: string;
  readonly remedy: string | undefined;
}
