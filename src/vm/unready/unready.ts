/** Something that svirt can read and put in QEMU's words, but not yet do on the host: label it, make it, pin it. */
export interface Unready {
  /** Where it stands, as an XPath that tells it from its neighbours. */
  readonly place: string;
  /** What a start would have to do and does not. */
  readonly missing: string;
  readonly remedy: string;
}
