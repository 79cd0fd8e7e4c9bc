import type { Tpm } from "../domain/tpm.ts";
import { formatBackend } from "./chardev-backend-words.ts";
import type { Guest } from "./guest.ts";
import type { Launch } from "./launch.ts";
import { cannotTranslate, devicePath, notSettled } from "./refusal.ts";
import { jsonWords, keyValues, type Words } from "./words.ts";

/** -tpmdev and -device for the TPM. qemuBuildTPMCommandLine() of libvirt */
export function formatTpms(guest: Guest, launch: Launch | undefined): Words {
  return guest.devices.tpms.flatMap((tpm, index) => {
    const path = devicePath("tpm", index);
    if (index > 0) throw cannotTranslate(path, "a guest has one TPM", "Remove it.");
    const id = tpm.alias ?? "tpm0";
    const device = { driver: tpm.model ?? "tpm-tis", tpmdev: `tpm-${id}`, id };
    return [...formatTpmBackend(tpm, { id, path, launch }), ...jsonWords("-device", device)];
  });
}

interface TpmFacts {
  readonly id: string;
  readonly path: string;
  readonly launch: Launch | undefined;
}

function formatTpmBackend({ backend }: Tpm, { id, path, launch }: TpmFacts): Words {
  switch (backend.type) {
    case "emulator": {
      const why = "where its emulator listens is known only at a start";
      throw notSettled(`${path}/backend`, why, "Write type='external' and a socket.");
    }
    case "passthrough": {
      // The device, and the file by which a command to it is cancelled.
      const pairs = keyValues([
        ["id", `tpm-${id}`],
        ["path", "/dev/fdset/0"],
        ["cancel-path", "/dev/fdset/1"],
      ]);
      return [
        ...["-add-fd", `set=0,fd=3,opaque=${id}-tpm`],
        ...["-add-fd", `set=1,fd=4,opaque=${id}-cancel`],
        ...["-tpmdev", `passthrough,${pairs}`],
      ];
    }
    case "external": {
      const source = { mode: "connect", path: backend.source.path, seclabels: [] } as const;
      return [
        ...formatBackend({ id: "tpm", path, chardev: { type: "unix", source } }, launch, 0).map((word) =>
          word.replace("id=chartpm", "id=chrtpm"),
        ),
        "-tpmdev",
        `emulator,id=tpm-${id},chardev=chrtpm`,
      ];
    }
  }
}
