import { cancelPath, tpmDevice } from "../../domain/devices/tpm/paths.ts";
import type { Tpm } from "../../domain/devices/tpm/tpm.ts";
import { type Arguments, jsonArguments, keyValues } from "../argument/argument.ts";
import { type Launch, passedName, peerPair, TPM_SOCKET } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath, hostDependent } from "../refusal.ts";
import { countFdsets } from "./chardev/fdset-count.ts";

/** -tpmdev and -device for the TPM. qemuBuildTPMCommandLine() of libvirt */
export function formatTpms(guest: Guest, launch: Launch | undefined): Arguments {
  return guest.devices.tpms.flatMap((tpm, index) => {
    const path = devicePath("tpm", index);
    if (index > 0) throw cannotTranslate(path, "a guest can have only one TPM", "Remove it.");
    refuseOldTpm(tpm, path);
    const id = tpm.alias ?? "tpm0";
    const device = { driver: tpm.model ?? "tpm-tis", tpmdev: `tpm-${id}`, id };
    return [...formatTpmBackend(guest, tpm, { id, path, launch }), ...jsonArguments("-device", device)];
  });
}

// qemuValidateDomainDeviceDefTPM() and virDomainTPMDevValidate() of libvirt
function refuseOldTpm({ backend, model }: Tpm, path: string): void {
  if (backend.type !== "emulator") return;
  if (backend.version === "1.2" && model === "tpm-crb") {
    throw cannotTranslate(
      `${path}/@model`,
      "a TPM 1.2 does not have the interface tpm-crb",
      "Write model='tpm-tis'.",
    );
  }
  if (backend.banks === undefined || backend.version === "2.0") return;
  const place = `${path}/backend/active_pcr_banks`;
  throw cannotTranslate(place, "only a TPM 2.0 has several PCR banks", "Write version='2.0'.");
}

function formatTpmBackend(
  guest: Guest,
  tpm: Tpm,
  { id, path, launch }: { readonly id: string; readonly path: string; readonly launch: Launch | undefined },
): Arguments {
  const { backend } = tpm;
  switch (backend.type) {
    case "emulator": {
      if (launch !== undefined) return formatEmulator(id, ["path", `${launch.folder}/${TPM_SOCKET}`]);
      const why = "the socket of the emulator is known only at a start";
      throw hostDependent(`${path}/backend`, why, "Write type='external' and a socket.");
    }
    case "passthrough":
      return launch === undefined
        ? formatPassed(id, countFdsets(guest, "tpm"))
        : formatHanded(id, tpmDevice(tpm) ?? "", launch);
    case "external":
      return formatEmulator(id, peerPair(launch, { place: path, path: backend.source.path }));
  }
}

function formatEmulator(id: string, socket: readonly [string, string | undefined]): Arguments {
  const pairs = keyValues([["id", "chrtpm"], socket]);
  return ["-chardev", `socket,${pairs}`, "-tpmdev", `emulator,id=tpm-${id},chardev=chrtpm`];
}

function formatHanded(id: string, device: string, launch: Launch): Arguments {
  const nameOf = (path: string): string => passedName(launch, { path, purpose: "tpm", access: "read-write" });
  const pairs = keyValues([
    ["id", `tpm-${id}`],
    ["path", nameOf(device)],
    ["cancel-path", nameOf(cancelPath(device))],
  ]);
  return ["-tpmdev", `passthrough,${pairs}`];
}

/** A descriptor set for the device, and another for the file of cancelled commands. */
function formatPassed(id: string, firstSet: number): Arguments {
  const [device, cancel] = [firstSet, firstSet + 1];
  const pairs = keyValues([
    ["id", `tpm-${id}`],
    ["path", `/dev/fdset/${device}`],
    ["cancel-path", `/dev/fdset/${cancel}`],
  ]);
  return [
    ...["-add-fd", `set=${device},fd=${device + 3},opaque=${id}-tpm`],
    ...["-add-fd", `set=${cancel},fd=${cancel + 3},opaque=${id}-cancel`],
    ...["-tpmdev", `passthrough,${pairs}`],
  ];
}

/** Default TPM of the host. VIR_DOMAIN_TPM_DEFAULT_DEVICE in domain_conf.h of libvirt */
const DEFAULT_TPM = "/dev/tpm0";

/**
 * Sets the default model and host device of a TPM, or an emulator's version. qemuDomainTPMDefPostParse() of
 * libvirt
 */
export function fillTpm(tpm: Tpm): Tpm {
  const model = tpm.model ?? "tpm-tis";
  const { backend } = tpm;
  if (backend.type === "passthrough") {
    return { ...tpm, model, backend: { ...backend, device: backend.device ?? { path: DEFAULT_TPM } } };
  }
  if (backend.type === "external") return { ...tpm, model };
  const version = backend.version ?? (model === "tpm-crb" ? "2.0" : "1.2");
  return { ...tpm, model, backend: { ...backend, version } };
}
