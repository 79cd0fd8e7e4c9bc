import type { Use } from "./uses.ts";

/** Use of a command by its arguments. */
export interface UseByArguments {
  /** Use without operands and options beyond `with`. */
  readonly shows: Use;
  /**
   * `name` with any value, `name=value` with that value, `name=NAME` with the name of an object, not of a
   * file.
   */
  readonly with: readonly string[];
  /** Use with any others. */
  readonly otherwise: Use;
}

/** Operands and options for showing a command's settings without changing them. */
const SHOWN = ["domain", "live", "config", "current", "json"] as const;

/** Use of each command with different effects by different arguments. */
export const USES_BY_ARGUMENTS = {
  desc: { shows: "virDomainGetMetadata", with: [...SHOWN, "title"], otherwise: "virDomainSetMetadata" },
  metadata: { shows: "virDomainGetMetadata", with: [...SHOWN, "uri"], otherwise: "virDomainSetMetadata" },
  "managedsave-dumpxml": {
    shows: "virDomainManagedSaveGetXMLDesc",
    with: ["domain"],
    otherwise: "virDomainManagedSaveGetXMLDesc with secure flag",
  },
  dumpxml: {
    shows: "virDomainGetXMLDesc",
    with: ["domain", "inactive", "update-cpu", "json"],
    otherwise: "virDomainGetXMLDesc with secure flag",
  },
  domifaddr: {
    shows: "virDomainInterfaceAddresses",
    with: ["domain", "interface", "full", "source=lease", "source=arp", "json"],
    otherwise: "virDomainInterfaceAddresses by the guest's agent",
  },
  dommemstat: { shows: "virDomainMemoryStats", with: SHOWN, otherwise: "virDomainSetMemoryStatsPeriod" },
  vcpucount: {
    shows: "virDomainGetVcpusFlags",
    with: [...SHOWN, "maximum", "active"],
    otherwise: "virDomainGetVcpusFlags by the guest's agent",
  },
  "snapshot-current": {
    shows: "virDomainSnapshotCurrent",
    with: ["domain", "name", "json"],
    otherwise: "virDomainSnapshotCreateXML",
  },
  "snapshot-dumpxml": {
    shows: "virDomainSnapshotGetXMLDesc",
    with: ["domain", "snapshotname", "json"],
    otherwise: "virDomainSnapshotGetXMLDesc with secure flag",
  },
  blockjob: {
    shows: "virDomainGetBlockJobInfo",
    with: ["domain", "path", "info", "bytes", "raw", "json"],
    otherwise: "virDomainBlockJobAbort",
  },
  vcpupin: { shows: "virDomainGetVcpuPinInfo", with: [...SHOWN, "vcpu"], otherwise: "virDomainPinVcpuFlags" },
  emulatorpin: { shows: "virDomainGetEmulatorPinInfo", with: SHOWN, otherwise: "virDomainPinEmulator" },
  numatune: { shows: "virDomainGetNumaParameters", with: SHOWN, otherwise: "virDomainSetNumaParameters" },
  perf: { shows: "virDomainGetPerfEvents", with: SHOWN, otherwise: "virDomainSetPerfEvents" },
  schedinfo: {
    shows: "virDomainGetSchedulerParametersFlags",
    with: SHOWN,
    otherwise: "virDomainSetSchedulerParametersFlags",
  },
  memtune: { shows: "virDomainGetMemoryParameters", with: SHOWN, otherwise: "virDomainSetMemoryParameters" },
  blkiotune: { shows: "virDomainGetBlkioParameters", with: SHOWN, otherwise: "virDomainSetBlkioParameters" },
  blkdeviotune: {
    shows: "virDomainGetBlockIoTune",
    with: [...SHOWN, "device"],
    otherwise: "virDomainSetBlockIoTune",
  },
  domiftune: {
    shows: "virDomainGetInterfaceParameters",
    with: [...SHOWN, "interface"],
    otherwise: "virDomainSetInterfaceParameters",
  },
  "cpu-compare": {
    shows: "virConnectCompareCPU",
    with: ["file=-", "error", "validate", "json"],
    otherwise: "read a named file",
  },
  "cpu-baseline": {
    shows: "virConnectBaselineCPU",
    with: ["file=-", "features", "migratable", "json"],
    otherwise: "read a named file",
  },
  validate: { shows: "validate", with: ["file=-", "print", "json"], otherwise: "read a named file" },
  "net-desc": {
    shows: "virNetworkGetMetadata",
    with: ["network", "live", "config", "current", "title"],
    otherwise: "virNetworkSetMetadata",
  },
  "net-metadata": {
    shows: "virNetworkGetMetadata",
    with: ["network", "live", "config", "current", "uri"],
    otherwise: "virNetworkSetMetadata",
  },
  plan: {
    shows: "plan a start",
    with: ["domain=NAME", "stop", "json"],
    otherwise: "virConnectDomainXMLToNative",
  },
  explain: {
    shows: "explain",
    with: ["domain", "file=-", "since", "all", "json"],
    otherwise: "read a named file",
  },
} as const satisfies Readonly<Record<string, UseByArguments>>;
