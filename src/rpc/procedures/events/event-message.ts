/** Message to a client: its number and its encoded arguments. */
export interface EventMessage {
  readonly procedure: number;
  readonly payload: readonly Uint8Array[];
}
