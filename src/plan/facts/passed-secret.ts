/** Secret whose value a guest's QEMU reads from a file when it creates its object. */
export interface PassedSecret {
  /** UUID of the secret. */
  readonly secret: string;
  /** File with the stored value. */
  readonly from: string;
  /** File of the guest, until QEMU has read it. */
  readonly path: string;
}
