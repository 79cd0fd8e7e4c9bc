import { UUID } from "../scenes/scene.ts";
import { domain, text, word } from "./remote-client.ts";

// Calls about domains beside those of table.test.ts, written from libvirt as they are.

const VM1 = domain("vm1", UUID);
const LONG = word(0) + word(1024);

/** Arguments of each changing procedure. */
export const DOMAIN_ARGUMENTS: Readonly<Record<string, string>> = {
  virDomainPinVcpu: VM1 + word(0) + word(0),
  virDomainCoreDump: VM1 + text("/vm1.core") + word(0),
  virDomainSetSchedulerParameters: VM1 + word(0),
  virDomainSetMemoryParameters: VM1 + word(0) + word(0),
  virDomainSetBlkioParameters: VM1 + word(0) + word(0),
  virDomainSetBlockIoTune: VM1 + text("vda") + word(0) + word(0),
  virDomainSetNumaParameters: VM1 + word(0) + word(0),
  virDomainSetPerfEvents: VM1 + word(0) + word(0),
  virDomainPinIOThread: VM1 + word(1) + word(0) + word(0),
  virDomainAddIOThread: VM1 + word(1) + word(0),
  virDomainDelIOThread: VM1 + word(1) + word(0),
  virDomainSetIOThreadParams: VM1 + word(1) + word(0) + word(0),
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
  virDomainBlockPeek: VM1 + text("vda") + LONG + word(1) + word(0),
  virDomainSaveImageDefineXML: text("/vm1.save") + text("<domain/>") + word(0),
  virDomainManagedSaveDefineXML: VM1 + word(0) + word(0),
  virDomainSetMemoryStatsPeriod: VM1 + word(5) + word(0),
  virDomainSetLifecycleAction: VM1 + word(0) + word(0) + word(0),
  virDomainAbortJobFlags: VM1 + word(0),
  virDomainPMWakeup: VM1 + word(0),
  virDomainGetLaunchSecurityInfo: VM1 + word(0),
  virConnectDomainXMLToNative: text("qemu-argv") + text("<domain/>") + word(0),
  virDomainSetAutostartOnce: VM1 + word(1),
  virDomainAgentSetResponseTimeout: VM1 + word(5) + word(0),
  virDomainGetGuestVcpus: VM1 + word(0),
  virDomainSetGuestVcpus: VM1 + text("0") + word(1) + word(0),
  virDomainAuthorizedSSHKeysSet: VM1 + text("me") + word(0) + word(0),
};
