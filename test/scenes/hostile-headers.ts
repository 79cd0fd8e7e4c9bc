import { vmdkBytes, vpcBytes } from "../images/foreign-bytes.ts";
import { luksBytes } from "../images/luks-bytes.ts";
import { qcow2Bytes } from "../images/qcow2-bytes.ts";

/** Length of a guest's disk in these scenes. */
export const DISK_BYTES = 64 * 1024;

const RAW = [[0xe2792aca, "raw"]] as const;

/**
 * Contents that a guest writes into its raw disk to have svirt take it for another format. They name this
 * file of a neighbour, or one of the host.
 */
export function hostileHeaders(neighbour: string): readonly (readonly [name: string, bytes: Uint8Array])[] {
  const headers: readonly (readonly [string, Uint8Array])[] = [
    ["qcow2 above the neighbour's image", qcow2Bytes({ backingFile: neighbour, extensions: RAW })],
    ["qcow2 above the neighbour's image without its format", qcow2Bytes({ backingFile: neighbour })],
    ["qcow2 above /etc/shadow", qcow2Bytes({ backingFile: "/etc/shadow", extensions: RAW })],
    ["qcow2 that cannot be read", withText(qcow2Bytes({}).fill(0xff, 4, 8), neighbour)],
    ["VMDK with the neighbour's image as its extent", vmdkBytes(1024 * 1024, neighbour)],
    ["VPC with the neighbour's image as its parent", vpcBytes(1024 * 1024, { parent: neighbour, type: 4 })],
    ["LUKS", luksBytes()],
    [
      "a format of which svirt knows nothing more",
      withText(new TextEncoder().encode("vhdxfile "), neighbour),
    ],
  ];
  return headers.map(([name, bytes]) => [name, diskOf(bytes)]);
}

function withText(bytes: Uint8Array, text: string): Uint8Array {
  return new Uint8Array([...bytes, ...new TextEncoder().encode(text)]);
}

function diskOf(header: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(DISK_BYTES);
  bytes.set(header);
  return bytes;
}
