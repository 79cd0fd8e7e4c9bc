import type { Machine } from "../memory-host/machine.ts";

export const SECRET_UUID = "55806c7d-8e93-456f-829b-607d8c198367";

/** Returns the XML of a secret of an iSCSI target. */
export function secretXml({
  attributes = "",
  target = "iscsi-a",
  uuid = SECRET_UUID,
}: {
  attributes?: string;
  target?: string;
  uuid?: string;
} = {}): Uint8Array {
  return new TextEncoder().encode(
    `<secret ${attributes}><uuid>${uuid}</uuid><usage type='iscsi'><target>${target}</target></usage></secret>`,
  );
}

/** Returns the bytes of a value. */
export function secretValue(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/**
 * Lists the files of secrets with their modes in octal digits and their content; of the definitions only the
 * names.
 */
export function secretFiles({ files }: Machine): string[] {
  return ["/etc/svirt/secrets", "/run/svirt/secrets"].flatMap((folder) =>
    [...(files.find(folder)?.inode.entries ?? [])].map(([name, { bytes, mode }]) => {
      const content = name.endsWith(".xml") ? "" : ` ${new TextDecoder().decode(bytes)}`;
      return `${folder}/${name} ${mode.toString(8)}${content}`;
    }),
  );
}
