/** Error that libvirt reports to its clients: virErrorNumber and virErrorDomain. */
export interface LibvirtError {
  readonly name: `VIR_ERR_${string}`;
  readonly code: number;
  readonly domain: number;
}

/** virErrorDomain, include/libvirt/virterror.h of libvirt. */
const VIR_FROM = {
  NONE: 0,
  XML: 5,
  RPC: 7,
  QEMU: 10,
  NET: 11,
  STORAGE: 18,
  NETWORK: 19,
  DOMAIN: 20,
  NODEDEV: 22,
  SECURITY: 24,
  INTERFACE: 26,
  SECRET: 30,
  CPU: 31,
  NWFILTER: 33,
  DOMAIN_SNAPSHOT: 35,
  STREAMS: 38,
};

/** Part of libvirt reporting an error. */
export type LibvirtDomain = keyof typeof VIR_FROM;

/**
 * virErrorNumber, without VIR_ERR_, and the domain from which libvirt reports it by default.
 * include/libvirt/virterror.h of libvirt
 */
const LIBVIRT_ERRORS = {
  INTERNAL_ERROR: { code: 1, domain: VIR_FROM.QEMU },
  NO_SUPPORT: { code: 3, domain: VIR_FROM.STORAGE },
  NO_CONNECT: { code: 5, domain: VIR_FROM.NONE },
  INVALID_ARG: { code: 8, domain: VIR_FROM.QEMU },
  OPERATION_FAILED: { code: 9, domain: VIR_FROM.QEMU },
  XML_ERROR: { code: 27, domain: VIR_FROM.DOMAIN },
  OPERATION_ABORTED: { code: 78, domain: VIR_FROM.QEMU },
  OPERATION_DENIED: { code: 29, domain: VIR_FROM.DOMAIN },
  XML_DETAIL: { code: 35, domain: VIR_FROM.DOMAIN },
  SYSTEM_ERROR: { code: 38, domain: VIR_FROM.QEMU },
  RPC: { code: 39, domain: VIR_FROM.RPC },
  NO_DOMAIN: { code: 42, domain: VIR_FROM.QEMU },
  NO_NETWORK: { code: 43, domain: VIR_FROM.NETWORK },
  INVALID_MAC: { code: 44, domain: VIR_FROM.NETWORK },
  NO_STORAGE_POOL: { code: 49, domain: VIR_FROM.STORAGE },
  NO_STORAGE_VOL: { code: 50, domain: VIR_FROM.STORAGE },
  NO_NODE_DEVICE: { code: 53, domain: VIR_FROM.NODEDEV },
  OPERATION_INVALID: { code: 55, domain: VIR_FROM.QEMU },
  NO_INTERFACE: { code: 57, domain: VIR_FROM.INTERFACE },
  MULTIPLE_INTERFACES: { code: 59, domain: VIR_FROM.INTERFACE },
  NO_NWFILTER: { code: 62, domain: VIR_FROM.NWFILTER },
  INVALID_SECRET: { code: 65, domain: VIR_FROM.SECRET },
  NO_SECRET: { code: 66, domain: VIR_FROM.SECRET },
  CONFIG_UNSUPPORTED: { code: 67, domain: VIR_FROM.DOMAIN },
  OPERATION_TIMEOUT: { code: 68, domain: VIR_FROM.QEMU },
  NO_DOMAIN_SNAPSHOT: { code: 72, domain: VIR_FROM.QEMU },
  ARGUMENT_UNSUPPORTED: { code: 74, domain: VIR_FROM.QEMU },
  STORAGE_PROBE_FAILED: { code: 75, domain: VIR_FROM.STORAGE },
  SNAPSHOT_REVERT_RISKY: { code: 77, domain: VIR_FROM.QEMU },
  NO_DOMAIN_METADATA: { code: 80, domain: VIR_FROM.DOMAIN },
  OVERFLOW: { code: 82, domain: VIR_FROM.QEMU },
  BLOCK_COPY_ACTIVE: { code: 83, domain: VIR_FROM.QEMU },
  OPERATION_UNSUPPORTED: { code: 84, domain: VIR_FROM.QEMU },
  AGENT_UNRESPONSIVE: { code: 86, domain: VIR_FROM.QEMU },
  RESOURCE_BUSY: { code: 87, domain: VIR_FROM.SECURITY },
  ACCESS_DENIED: { code: 88, domain: VIR_FROM.SECURITY },
  STORAGE_VOL_EXIST: { code: 90, domain: VIR_FROM.STORAGE },
  CPU_INCOMPATIBLE: { code: 91, domain: VIR_FROM.CPU },
  DEVICE_MISSING: { code: 99, domain: VIR_FROM.QEMU },
  NO_NWFILTER_BINDING: { code: 101, domain: VIR_FROM.NWFILTER },
  NO_DOMAIN_CHECKPOINT: { code: 103, domain: VIR_FROM.QEMU },
  NO_DOMAIN_BACKUP: { code: 104, domain: VIR_FROM.QEMU },
  NO_NETWORK_PORT: { code: 107, domain: VIR_FROM.NETWORK },
  NO_HOSTNAME: { code: 108, domain: VIR_FROM.QEMU },
  NO_NETWORK_METADATA: { code: 111, domain: VIR_FROM.NETWORK },
} as const satisfies Readonly<Record<string, Omit<LibvirtError, "name">>>;

export type LibvirtName = keyof typeof LIBVIRT_ERRORS;

/** Returns the error of a name, by default from its usual part of libvirt. */
export function namedError(name: LibvirtName): LibvirtError {
  return { name: `VIR_ERR_${name}`, ...LIBVIRT_ERRORS[name] };
}

/** Returns the same error, reported by the given part of libvirt. */
export function errorFrom(part: LibvirtDomain, error: LibvirtError): LibvirtError {
  return { ...error, domain: VIR_FROM[part] };
}

/**
 * Returns libvirt's error of a call to a part of libvirt. Errors in XML belong to the part reading it.
 * VIR_FROM_THIS of libvirt's source files, which virXMLParse() gets
 */
export function libvirtErrorIn(
  part: LibvirtDomain | undefined,
  { libvirt }: { readonly libvirt: LibvirtError },
): LibvirtError {
  const { code, domain } = libvirt;
  const isInXml = code === LIBVIRT_ERRORS.XML_ERROR.code || code === LIBVIRT_ERRORS.XML_DETAIL.code;
  const isPlain = part === undefined || !isInXml || domain !== VIR_FROM.DOMAIN;
  return isPlain ? libvirt : errorFrom(part, libvirt);
}
