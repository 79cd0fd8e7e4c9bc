import type { Shmem } from "../../domain/devices/shmem.ts";
import { shmemFile, shmemServer } from "../../domain/resources/unopened-paths.ts";
import { type Arguments, jsonArguments, onOffWord } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { type Launch, passedName } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { devicePath } from "../refusal.ts";
import { formatBackend } from "./chardev/backend.ts";

/** -object or -chardev, and -device, for each shared memory. qemuBuildShmemCommandLine() of libvirt */
export function formatShmems(guest: Guest, launch: Launch | undefined): Arguments {
  return guest.devices.shmems.flatMap((shmem, index) => {
    const id = shmem.alias ?? `shmem${index}`;
    if (shmem.model.type === "ivshmem-plain") return formatPlain(guest, shmem, { id, launch });
    const source = { mode: "connect", path: shmemServer(shmem), seclabels: [] } as const;
    const chardev = { type: "unix", source } as const;
    return [
      ...jsonArguments("-device", {
        driver: "ivshmem-doorbell",
        id,
        chardev: `char${id}`,
        vectors: shmem.msi?.vectors === 0 ? undefined : shmem.msi?.vectors,
        ioeventfd: shmem.msi?.ioeventfd ?? true,
        ...roleKeys(shmem),
        ...pciKeys(guest, shmem.address),
      }),
      ...formatBackend({ id, path: devicePath("shmem", index), chardev }, launch, 0),
    ];
  });
}

function formatPlain(
  guest: Guest,
  shmem: Shmem,
  { id, launch }: { readonly id: string; readonly launch: Launch | undefined },
): Arguments {
  const memdev = `shmmem-${id}`;
  return [
    ...jsonArguments("-object", {
      "qom-type": "memory-backend-file",
      id: memdev,
      "mem-path": passedName(launch, { path: shmemFile(shmem), purpose: "memory", access: "read-write" }),
      size: (shmem.sizeKiB ?? 0) * 1024,
      share: true,
    }),
    ...jsonArguments("-device", {
      driver: "ivshmem-plain",
      id,
      memdev,
      ...roleKeys(shmem),
      ...pciKeys(guest, shmem.address),
    }),
  ];
}

function roleKeys({ role }: Shmem): { readonly master?: "on" | "off" } {
  return role === undefined ? {} : { master: onOffWord(role === "master") };
}

/** Default size of ivshmem-plain: 4 MiB. */
const DEFAULT_SHMEM_KIB = 4096;

/**
 * Sets the default size of ivshmem-plain, or ioeventfd of ivshmem-doorbell. qemuDomainShmemDefPostParse() of
 * libvirt
 */
export function fillShmem(shmem: Shmem): Shmem {
  if (shmem.model.type === "ivshmem-plain") return { ...shmem, sizeKiB: shmem.sizeKiB ?? DEFAULT_SHMEM_KIB };
  return { ...shmem, msi: { ...shmem.msi, ioeventfd: shmem.msi?.ioeventfd ?? true } };
}
