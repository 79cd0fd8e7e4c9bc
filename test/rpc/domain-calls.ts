import { UUID } from "../scenes/scene.ts";
import { domain, text, word } from "./remote-client.ts";

// Calls about domains beside those of table.test.ts, written from libvirt as they are.

export const DOMAIN_READS: Readonly<Record<string, number>> = {
  virDomainGetSchedulerType: 56,
  virDomainGetSchedulerParameters: 57,
  virDomainGetMemoryParameters: 198,
  virDomainGetBlkioParameters: 206,
  virDomainGetSchedulerParametersFlags: 223,
  virDomainGetVcpuPinInfo: 230,
  virDomainGetInterfaceParameters: 257,
  virDomainGetDiskErrors: 263,
  virDomainGetMetadata: 265,
  virDomainGetIOThreadInfo: 351,
  virDomainGetEmulatorPinInfo: 280,
};

export const DOMAIN_CHANGES: Readonly<Record<string, number>> = {
  virDomainPinVcpu: 26,
  virDomainCoreDump: 53,
  virDomainSetSchedulerParameters: 58,
  virDomainSetMemoryParameters: 197,
  virDomainSetBlkioParameters: 205,
  virDomainInjectNMI: 210,
  virDomainSetSchedulerParametersFlags: 219,
  virDomainPinVcpuFlags: 225,
  virDomainSendKey: 226,
  virDomainReset: 245,
  virDomainSetInterfaceParameters: 256,
  virDomainSetMetadata: 264,
  virDomainGetHostname: 277,
  virDomainPinEmulator: 279,
  virDomainFSTrim: 294,
  virDomainCoreDumpWithFormat: 334,
  virDomainFSFreeze: 335,
  virDomainFSThaw: 336,
  virDomainGetTime: 337,
  virDomainSetTime: 338,
  virDomainGetFSInfo: 349,
  virDomainSetUserPassword: 357,
  virDomainRename: 358,
  virDomainGetGuestInfo: 418,
  virDomainAuthorizedSSHKeysGet: 424,
  virDomainAuthorizedSSHKeysSet: 425,
};

const VM1 = domain("vm1", UUID);
const LONG = word(0) + word(1024);

/** Arguments of each changing procedure. */
export const DOMAIN_ARGUMENTS: Readonly<Record<string, string>> = {
  virDomainPinVcpu: VM1 + word(0) + word(0),
  virDomainCoreDump: VM1 + text("/vm1.core") + word(0),
  virDomainSetSchedulerParameters: VM1 + word(0),
  virDomainSetMemoryParameters: VM1 + word(0) + word(0),
  virDomainSetBlkioParameters: VM1 + word(0) + word(0),
  virDomainInjectNMI: VM1 + word(0),
  virDomainSetSchedulerParametersFlags: VM1 + word(0) + word(0),
  virDomainPinVcpuFlags: VM1 + word(0) + word(0) + word(0),
  virDomainSendKey: VM1 + word(0) + word(0) + word(0) + word(0),
  virDomainReset: VM1 + word(0),
  virDomainSetInterfaceParameters: VM1 + text("vnet0") + word(0) + word(0),
  virDomainSetMetadata: VM1 + word(1) + word(0) + word(0) + word(0) + word(0),
  virDomainGetHostname: VM1 + word(0),
  virDomainPinEmulator: VM1 + word(0) + word(0),
  virDomainFSTrim: VM1 + word(0) + LONG + word(0),
  virDomainCoreDumpWithFormat: VM1 + text("/vm1.core") + word(0) + word(0),
  virDomainFSFreeze: VM1 + word(0) + word(0),
  virDomainFSThaw: VM1 + word(0) + word(0),
  virDomainGetTime: VM1 + word(0),
  virDomainSetTime: VM1 + LONG + word(0) + word(0),
  virDomainGetFSInfo: VM1 + word(0),
  virDomainSetUserPassword: VM1 + word(0) + word(0) + word(0),
  virDomainRename: VM1 + word(1) + text("new") + word(0),
  virDomainGetGuestInfo: VM1 + word(0) + word(0),
  virDomainAuthorizedSSHKeysGet: VM1 + text("me") + word(0),
  virDomainAuthorizedSSHKeysSet: VM1 + text("me") + word(0) + word(0),
};
