import type { Filesystem } from "../domain/filesystem.ts";
import type { Shmem } from "../domain/shmem.ts";
import type { Tpm } from "../domain/tpm.ts";
import type { Vsock } from "../domain/vsock.ts";

/** A shared folder whose files belong to whom the guest says. virDomainFSDefPostParse() of libvirt */
export function fillFilesystem(found: Filesystem): Filesystem {
  if (found.source.dir === undefined) return found;
  return { ...found, accessmode: found.accessmode ?? "passthrough" };
}

/** What a plain shared memory has where the XML does not say: 4 MiB. */
const DEFAULT_SHMEM_KIB = 4096;

/** A shared memory with its size, or with the way in which its server calls. qemuDomainShmemDefPostParse() of libvirt */
export function fillShmem(shmem: Shmem): Shmem {
  if (shmem.model.type === "ivshmem-plain") return { ...shmem, sizeKiB: shmem.sizeKiB ?? DEFAULT_SHMEM_KIB };
  return { ...shmem, msi: { ...shmem.msi, ioeventfd: shmem.msi?.ioeventfd ?? true } };
}

/** Where a TPM of the host is, if not said otherwise. VIR_DOMAIN_TPM_DEFAULT_DEVICE in domain_conf.h of libvirt */
const DEFAULT_TPM = "/dev/tpm0";

/** A TPM with its interface and, for an emulated one, its version. qemuDomainTPMDefPostParse() of libvirt */
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

/** A vsock with its driver, and whether its number is to be found. virDomainVsockDefPostParse() of libvirt */
export function fillVsock(vsock: Vsock): Vsock {
  const { cid, model = "virtio" } = vsock;
  return { ...vsock, model, cid: { ...cid, auto: cid.auto ?? cid.address === undefined } };
}
