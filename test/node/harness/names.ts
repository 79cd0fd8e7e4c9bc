/** Returns the UUID that lib.sh gives a guest of that name. */
export function uuidOf(name: string): string {
  const digits = new Bun.CryptoHasher("md5").update(name).digest("hex");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
