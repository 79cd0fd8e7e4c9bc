import { isReadOnly } from "../../../domain/devices/disk/facts.ts";
import { type Arguments, keyValues } from "../../argument/argument.ts";
import { cannotTranslate } from "../../refusal.ts";
import type { NumberedDisk } from "./nodes.ts";
import { diskIndex } from "./place.ts";

/** -drive for an SD card: QEMU has no newer syntax. qemuBuildDriveStr() of libvirt */
export function formatSdCard({ disk, path }: NumberedDisk): Arguments {
  const { source, driver } = disk;
  const file = disk.type === "file" ? disk.source?.file : undefined;
  const device = disk.type === "block" ? disk.source?.dev : undefined;
  const name = file ?? device;
  if (source === undefined || name === undefined) {
    throw cannotTranslate(
      `${path}/source`,
      "an SD card must be a file or a block device",
      "Write type='file'.",
    );
  }
  const mode = driver?.detectZeroes === "unmap" && driver.discard !== "unmap" ? "on" : driver?.detectZeroes;
  const words = keyValues([
    ["file", name],
    ["format", driver?.type ?? "raw"],
    ["if", "sd"],
    ["index", diskIndex(disk)],
    ["readonly", isReadOnly(disk) ? "on" : undefined],
    ["cache", driver?.cache === "default" ? undefined : driver?.cache],
    ["copy-on-read", onOff(driver?.copyOnRead)],
    ["discard", driver?.discard],
    ["detect-zeroes", mode],
    ["aio", driver?.io],
  ]);
  return ["-drive", words];
}

function onOff(value: boolean | undefined): string | undefined {
  if (value === undefined) return undefined;
  return value ? "on" : "off";
}
