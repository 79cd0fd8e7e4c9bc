"""Calls functions of python3-libvirt on $LIBVIRT_DEFAULT_URI, and prints each function with what is wrong, as JSON.

The expectations are libvirt's documentation of its API. Arguments: a folder for a pool, an image of 1 MiB.
"""
import json
import sys
import libvirt as v

POOL, IMAGE = sys.argv[1:3]
UUID = "3a5e1d6c-0f0e-4c59-8f0a-6f9a3f0a7c31"
XML = f"""<domain type='qemu'><name>vm1</name><uuid>{UUID}</uuid><memory unit='MiB'>64</memory><vcpu current='1'>2</vcpu>
<os><type>hvm</type></os><devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{IMAGE}'/>
<target dev='vda' bus='virtio'/></disk>
<channel type='unix'><target type='virtio' name='org.example.0'/></channel>
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
</devices><seclabel type='none'/></domain>"""
DISK = f"""<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{IMAGE}2'/>
<target dev='vdb' bus='virtio'/></disk>"""
said = {}


def call(name, work, right=lambda got: True):
    """Calls a function of the API, notes what is wrong, and returns its result."""
    try:
        got = work()
        said[name] = "" if right(got) else repr(got)
        return got
    except v.libvirtError as error:
        said[name] = str(error)
        return None


def fails(name, code, work):
    try:
        said[name] = f"did not fail: {work()!r}"
    except v.libvirtError as error:
        said[name] = "" if error.get_error_code() == code else f"{error.get_error_code()}: {error}"


v.registerErrorHandler(lambda *_: None, None)
v.virEventRegisterDefaultImpl()
c = v.open()
call("virConnectGetURI", c.getURI, lambda got: got.startswith("qemu+ext:///system"))
call("virConnectGetHostname", c.getHostname, lambda got: got != "")
call("virConnectGetType", c.getType, lambda got: got == "QEMU")
call("virConnectGetVersion", c.getVersion, lambda got: got > 1000000)
call("virConnectGetLibVersion", c.getLibVersion, lambda got: got == v.getVersion())
call("virConnectIsSecure", c.isSecure, lambda got: got in (0, 1))
call("virConnectIsAlive", c.isAlive, lambda got: got == 1)
call("virConnectIsEncrypted", c.isEncrypted)
call("virConnectGetMaxVcpus", lambda: c.getMaxVcpus("qemu"), lambda got: got >= 1)
call("virConnectGetCapabilities", c.getCapabilities, lambda got: "<os_type>hvm</os_type>" in got)
call("virConnectGetDomainCapabilities", lambda: c.getDomainCapabilities(None, "x86_64", "q35", "qemu"),
     lambda got: "<domainCapabilities>" in got)
call("virNodeGetInfo", c.getInfo, lambda got: got[0] == "x86_64" and got[1] > 0)
call("virNodeGetFreeMemory", c.getFreeMemory, lambda got: got > 0)
call("virNodeGetCPUMap", c.getCPUMap, lambda got: got[0] == len(got[1]))
call("virNodeGetSecurityModel", c.getSecurityModel)
call("virNodeGetCPUStats", lambda: c.getCPUStats(v.VIR_NODE_CPU_STATS_ALL_CPUS),
     lambda got: set(got) == {"kernel", "user", "idle", "iowait"} and got["user"] > 0)
call("virNodeGetMemoryStats", lambda: c.getMemoryStats(v.VIR_NODE_MEMORY_STATS_ALL_CELLS),
     lambda got: 0 < got["free"] < got["total"])
call("virNodeGetCellsFreeMemory", lambda: c.getCellsFreeMemory(0, 1), lambda got: len(got) == 1 and got[0] > 0)
call("virNodeGetFreePages", lambda: c.getFreePages([4], -1, 1), lambda got: got[-1][4] > 0)
call("virConnectGetStoragePoolCapabilities", c.getStoragePoolCapabilities,
     lambda got: "<pool type='dir' supported='yes'>" in got)
fails("virConnectFindStoragePoolSources of folders", v.VIR_ERR_NO_SUPPORT, lambda: c.findStoragePoolSources("dir", None))
call("virConnectSetKeepAlive", lambda: c.setKeepAlive(5, 3), lambda got: got == 0)
call("virConnectRegisterCloseCallback", lambda: c.registerCloseCallback(lambda *_: None, None))
call("virConnectUnregisterCloseCallback", c.unregisterCloseCallback)
fails("virDomainLookupByName of none", v.VIR_ERR_NO_DOMAIN, lambda: c.lookupByName("vm1"))
fails("virDomainDefineXML of no XML", v.VIR_ERR_XML_DETAIL, lambda: c.defineXML("<domain"))

with open(IMAGE, "r+b") as image:
    image.write(b"   peek")
d = call("virDomainDefineXML", lambda: c.defineXML(XML), lambda got: got.UUIDString() == UUID)
call("virDomainLookupByUUID", lambda: c.lookupByUUIDString(UUID), lambda got: got.name() == "vm1")
call("virConnectListAllDomains", c.listAllDomains, lambda got: [one.name() for one in got] == ["vm1"])
call("virConnectListDefinedDomains", c.listDefinedDomains, lambda got: got == ["vm1"])
call("virConnectNumOfDefinedDomains", c.numOfDefinedDomains, lambda got: got == 1)
call("virDomainIsPersistent", d.isPersistent, lambda got: got == 1)
call("virDomainIsUpdated", d.isUpdated, lambda got: got == 0)
call("virDomainSetAutostart", lambda: d.setAutostart(1))
call("virDomainSetAutostartOnce", lambda: d.setAutostartOnce(1))
call("virDomainGetAutostartOnce", lambda: d.autostartOnce())
call("virDomainGetAutostart", d.autostart, lambda got: got == 1)
call("virDomainGetOSType", d.OSType, lambda got: got == "hvm")
call("virDomainSetVcpusFlags", lambda: d.setVcpusFlags(2, v.VIR_DOMAIN_AFFECT_CONFIG))
call("virDomainGetVcpusFlags", lambda: d.vcpusFlags(v.VIR_DOMAIN_AFFECT_CONFIG), lambda got: got == 2)
call("virDomainSetMemoryFlags", lambda: d.setMemoryFlags(32768, v.VIR_DOMAIN_AFFECT_CONFIG))
call("virDomainGetMaxMemory", d.maxMemory, lambda got: got == 65536)
call("virDomainHasManagedSaveImage", d.hasManagedSaveImage, lambda got: got == 0)
call("virDomainSnapshotNum", d.snapshotNum, lambda got: got == 0)
call("virDomainListAllCheckpoints", d.listAllCheckpoints, lambda got: got == [])
call("virDomainGetMessages", d.messages, lambda got: got == [])
call("virDomainGetSecurityLabelList", d.securityLabelList, lambda got: got == [])
call("virDomainGetLaunchSecurityInfo", d.launchSecurityInfo, lambda got: got == {})
call("virConnectDomainXMLToNative", lambda: c.domainXMLToNative("qemu-argv", XML), lambda got: UUID in got)
fails("virConnectDomainXMLToNative of another format", v.VIR_ERR_INVALID_ARG, lambda: c.domainXMLToNative("x", XML))
fails("virDomainDestroy of one that is off", v.VIR_ERR_OPERATION_INVALID, d.destroy)

call("virDomainCreate", d.create)
fails("virDomainCreate of one that runs", v.VIR_ERR_OPERATION_INVALID, d.create)
call("virDomainIsActive", d.isActive, lambda got: got == 1)
call("virDomainGetState", d.state, lambda got: got[0] == v.VIR_DOMAIN_RUNNING)
call("virDomainGetInfo", d.info, lambda got: got[0] == v.VIR_DOMAIN_RUNNING and got[1] == 65536)
call("virConnectListDomains", c.listDomainsID, lambda got: len(got) == 1)
call("virDomainLookupByID", lambda: c.lookupByID(c.listDomainsID()[0]), lambda got: got.UUIDString() == UUID)
call("virConnectNumOfDomains", c.numOfDomains, lambda got: got == 1)
call("virDomainGetXMLDesc", lambda: d.XMLDesc(v.VIR_DOMAIN_XML_SECURE), lambda got: UUID in got)
call("virDomainGetXMLDesc at its end", lambda: [d.XMLDesc(), d.XMLDesc(v.VIR_DOMAIN_XML_INACTIVE)],
     lambda got: all(xml.endswith("</domain>\n") for xml in got))
call("virDomainGetMaxVcpus", d.maxVcpus, lambda got: got == 2)
call("virDomainGetVcpus", d.vcpus, lambda got: len(got[0]) == 2)
call("virDomainGetSecurityLabel", d.securityLabel)
call("virDomainBlockStats", lambda: d.blockStats("vda"), lambda got: len(got) == 5)
call("virDomainBlockStatsFlags", lambda: d.blockStatsFlags("vda"), lambda got: "rd_bytes" in got)
call("virDomainGetBlockInfo", lambda: d.blockInfo("vda"), lambda got: got[0] == 1048576)
call("virDomainBlockPeek", lambda: d.blockPeek("vda", 3, 4), lambda got: got == b"peek")
fails("virDomainBlockPeek beyond the end", v.VIR_ERR_OPERATION_FAILED, lambda: d.blockPeek("vda", 1048576, 4))
fails("virDomainBlockPeek of no disk", v.VIR_ERR_INVALID_ARG, lambda: d.blockPeek("vdz", 0, 4))
call("virDomainMemoryStats", d.memoryStats, lambda got: got["actual"] == 65536)
call("virDomainGetControlInfo", d.controlInfo, lambda got: got[0] == v.VIR_DOMAIN_CONTROL_OK)
call("virDomainGetCPUStats", lambda: d.getCPUStats(True), lambda got: got[0]["cpu_time"] > 0)
call("virConnectGetAllDomainStats", c.getAllDomainStats, lambda got: got[0][1]["state.state"] == v.VIR_DOMAIN_RUNNING)
call("virDomainInterfaceAddresses", lambda: d.interfaceAddresses(v.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE),
     lambda got: got == {})
fails("virDomainPMWakeup of one that does not sleep", v.VIR_ERR_INTERNAL_ERROR, d.pMWakeup)
fails("virDomainBackupGetXMLDesc", v.VIR_ERR_NO_DOMAIN_BACKUP, d.backupGetXMLDesc)
fails("virDomainCheckpointLookupByName", v.VIR_ERR_NO_DOMAIN_CHECKPOINT, lambda: d.checkpointLookupByName("c"))
fails("virNodeGetSEVInfo", v.VIR_ERR_OPERATION_UNSUPPORTED, c.getSEVInfo)
call("virDomainSetMemoryStatsPeriod", lambda: d.setMemoryStatsPeriod(5))
call("virDomainGetXMLDesc after it", d.XMLDesc, lambda got: "<stats period='5'/>" in got)
call("virDomainSetMemory", lambda: d.setMemory(49152))
call("virDomainGetXMLDesc after that", d.XMLDesc, lambda got: "<currentMemory unit='KiB'>49152<" in got)
call("virDomainAttachDeviceFlags", lambda: d.attachDeviceFlags(DISK, v.VIR_DOMAIN_AFFECT_CONFIG))
call("virDomainDetachDeviceFlags", lambda: d.detachDeviceFlags(DISK, v.VIR_DOMAIN_AFFECT_CONFIG))
stream, other = c.newStream(), c.newStream()
call("virDomainOpenChannel", lambda: d.openChannel("org.example.0", stream), lambda got: got == 0)
call("virStreamSend to a channel", lambda: stream.send(b"hello"), lambda got: got == 5)
fails("virDomainOpenChannel of one in use", v.VIR_ERR_OPERATION_FAILED, lambda: d.openChannel("channel0", other))
call("virDomainOpenChannel by force", lambda: d.openChannel(None, other, v.VIR_DOMAIN_CHANNEL_FORCE), lambda got: got == 0)
fails("virStreamRecv of a channel that was lost", v.VIR_ERR_RPC, lambda: stream.recv(10))
call("virStreamAbort of a channel", other.abort)
fails("virDomainOpenChannel of none", v.VIR_ERR_INTERNAL_ERROR, lambda: d.openChannel("x", c.newStream()))
fails("virDomainOpenChannel of the agent", v.VIR_ERR_OPERATION_UNSUPPORTED,
      lambda: d.openChannel("org.qemu.guest_agent.0", c.newStream()))
call("virDomainSuspend", d.suspend)
call("virDomainResume", d.resume)
call("virDomainSetLifecycleAction", lambda: d.setLifecycleAction(
    v.VIR_DOMAIN_LIFECYCLE_CRASH, v.VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE, v.VIR_DOMAIN_AFFECT_LIVE))
call("virDomainGetXMLDesc after virDomainSetLifecycleAction", d.XMLDesc, lambda got: "<on_crash>preserve<" in got)
call("virDomainSetLifecycleAction back", lambda: d.setLifecycleAction(
    v.VIR_DOMAIN_LIFECYCLE_CRASH, v.VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY))
fails("virDomainSetLifecycleAction of no action", v.VIR_ERR_INVALID_ARG, lambda: d.setLifecycleAction(0, 9))
fails("virDomainAbortJobFlags without a job", v.VIR_ERR_OPERATION_INVALID, d.abortJobFlags)
fails("virDomainBlockJobAbort without a job", v.VIR_ERR_INVALID_ARG, lambda: d.blockJobAbort("vda"))
call("virDomainListGetStats of blocks", lambda: c.domainListGetStats([d], v.VIR_DOMAIN_STATS_BLOCK)[0][1],
     lambda got: got["block.0.allocation"] >= 0)
call("virDomainGetJobInfo", d.jobInfo, lambda got: got[0] == v.VIR_DOMAIN_JOB_NONE)
call("virDomainGetJobStats", d.jobStats)
call("virDomainManagedSave", d.managedSave)
call("virDomainManagedSaveGetXMLDesc", d.managedSaveGetXMLDesc, lambda got: UUID in got)
call("virDomainManagedSaveDefineXML", lambda: d.managedSaveDefineXML(
    d.managedSaveGetXMLDesc().replace("<on_crash>destroy", "<on_crash>restart"), v.VIR_DOMAIN_SAVE_PAUSED))
call("virDomainManagedSaveGetXMLDesc after it", d.managedSaveGetXMLDesc, lambda got: "<on_crash>restart" in got)
call("virDomainCreate from it", d.create)
call("virDomainGetState after it", d.state, lambda got: got[0] == v.VIR_DOMAIN_PAUSED)
call("virDomainManagedSave of one that is paused", d.managedSave)
call("virDomainManagedSaveRemove", d.managedSaveRemove)
fails("virDomainManagedSaveGetXMLDesc of none", v.VIR_ERR_OPERATION_INVALID, d.managedSaveGetXMLDesc)
call("virDomainCreateWithFlags", lambda: d.createWithFlags(v.VIR_DOMAIN_START_FORCE_BOOT))
fails("virDomainShutdownFlags by an agent that is not there", v.VIR_ERR_AGENT_UNRESPONSIVE,
      lambda: d.shutdownFlags(v.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT))
call("virDomainDestroyFlags", lambda: d.destroyFlags(v.VIR_DOMAIN_DESTROY_GRACEFUL))
call("virDomainCreateWithFlags paused", lambda: d.createWithFlags(v.VIR_DOMAIN_START_PAUSED))
call("virDomainGetState of one started paused", d.state, lambda got: got[0] == v.VIR_DOMAIN_PAUSED)
call("virDomainResume after it", d.resume)
call("virDomainGetState after that", d.state, lambda got: got[0] == v.VIR_DOMAIN_RUNNING)
XML2 = d.XMLDesc().replace("<on_crash>destroy", "<on_crash>restart")
call("virDomainSaveFlags with XML", lambda: d.saveFlags(IMAGE + ".save", XML2, v.VIR_DOMAIN_SAVE_PAUSED))
call("virDomainSaveImageGetXMLDesc of it", lambda: c.saveImageGetXMLDesc(IMAGE + ".save"),
     lambda got: "<on_crash>restart" in got)
call("virDomainRestoreParams", lambda: c.restoreParams({v.VIR_DOMAIN_SAVE_PARAM_FILE: IMAGE + ".save"}))
call("virDomainGetState of one restored so", d.state, lambda got: got[0] == v.VIR_DOMAIN_PAUSED)
fails("virDomainSaveParams with the XML of another", v.VIR_ERR_CONFIG_UNSUPPORTED,
      lambda: d.saveParams({v.VIR_DOMAIN_SAVE_PARAM_DXML: XML2.replace(UUID, UUID[:-1] + "9")}))
call("virDomainSaveParams", lambda: d.saveParams(
    {v.VIR_DOMAIN_SAVE_PARAM_FILE: IMAGE + ".save", v.VIR_DOMAIN_SAVE_PARAM_DXML: XML2}))
call("virDomainRestoreParams with XML", lambda: c.restoreParams(
    {v.VIR_DOMAIN_SAVE_PARAM_FILE: IMAGE + ".save", v.VIR_DOMAIN_SAVE_PARAM_DXML: XML2}, v.VIR_DOMAIN_SAVE_RUNNING))
call("virDomainDestroyFlags of it", d.destroyFlags)
call("virDomainUndefineFlags", lambda: d.undefineFlags(v.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE))

fails("virNetworkLookupByName of none", v.VIR_ERR_NO_NETWORK, lambda: c.networkLookupByName("n"))
n = call("virNetworkDefineXML", lambda: c.networkDefineXML("<network><name>n</name><bridge name='virbr77'/></network>"))
call("virConnectListAllNetworks", c.listAllNetworks, lambda got: [one.name() for one in got] == ["n"])
call("virConnectNumOfNetworks", c.numOfNetworks, lambda got: got == 0)
call("virConnectListNetworks", c.listNetworks, lambda got: got == [])
call("virConnectNumOfDefinedNetworks", c.numOfDefinedNetworks, lambda got: got == 1)
call("virConnectListDefinedNetworks", c.listDefinedNetworks, lambda got: got == ["n"])
call("virNetworkUpdate", lambda: n.update(
    v.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, v.VIR_NETWORK_SECTION_DNS_TXT, -1, "<txt name='a' value='b'/>"))
call("virNetworkGetXMLDesc after it", n.XMLDesc, lambda got: "<txt name='a' value='b'/>" in got)
fails("virNetworkUpdate of no section", v.VIR_ERR_OPERATION_UNSUPPORTED, lambda: n.update(3, 99, -1, "<txt/>"))
call("virNetworkGetXMLDesc", n.XMLDesc, lambda got: "virbr77" in got)
call("virNetworkGetXMLDesc at its end", n.XMLDesc, lambda got: got.endswith("</network>\n"))
call("virNetworkGetBridgeName", n.bridgeName, lambda got: got == "virbr77")
fails("virNetworkGetMetadata of none", v.VIR_ERR_NO_NETWORK_METADATA, lambda: n.metadata(1, None))
call("virNetworkSetMetadata", lambda: n.setMetadata(v.VIR_NETWORK_METADATA_ELEMENT, "<a/>", "app", "urn:app"))
call("virNetworkGetMetadata", lambda: n.metadata(v.VIR_NETWORK_METADATA_ELEMENT, "urn:app"), lambda got: got == "<a/>")
call("virNetworkGetDHCPLeases", n.DHCPLeases, lambda got: got == [])
fails("virNetworkListAllPorts of one that is off", v.VIR_ERR_OPERATION_INVALID, n.listAllPorts)
call("virNetworkDefineXMLFlags", lambda: c.networkDefineXMLFlags(n.XMLDesc(), v.VIR_NETWORK_DEFINE_VALIDATE),
     lambda got: got.name() == "n")
call("virNetworkIsActive", n.isActive, lambda got: got == 0)
call("virNetworkSetAutostart", lambda: n.setAutostart(1))
call("virNetworkUndefine", n.undefine)

call("virConnectListAllNWFilters", c.listAllNWFilters, lambda got: len(got) == c.numOfNWFilters())
call("virConnectListNWFilters", c.listNWFilters, lambda got: "clean-traffic" in got)
f = call("virNWFilterLookupByName", lambda: c.nwfilterLookupByName("no-mac-spoofing"))
call("virNWFilterLookupByUUID", lambda: c.nwfilterLookupByUUIDString(f.UUIDString()), lambda got: got.name() == f.name())
call("virNWFilterGetXMLDesc", f.XMLDesc, lambda got: "<mac srcmacaddr='$MAC'/>" in got and f.UUIDString() in got)
fails("virNWFilterLookupByName of none", v.VIR_ERR_NO_NWFILTER, lambda: c.nwfilterLookupByName("n"))

fails("virStorageVolLookupByPath of none", v.VIR_ERR_NO_STORAGE_VOL, lambda: c.storageVolLookupByPath("/nowhere"))
p = call("virStoragePoolDefineXML", lambda: c.storagePoolDefineXML(
    f"<pool type='dir'><name>p</name><target><path>{POOL}</path></target></pool>"))
call("virStoragePoolBuild", lambda: p.build(0))
call("virStoragePoolCreate", p.create)
call("virConnectListStoragePools", c.listStoragePools, lambda got: got == ["p"])
call("virConnectNumOfDefinedStoragePools", c.numOfDefinedStoragePools, lambda got: got == 0)
call("virConnectNumOfStoragePools", c.numOfStoragePools, lambda got: got == 1)
call("virConnectListDefinedStoragePools", c.listDefinedStoragePools, lambda got: got == [])
call("virStoragePoolGetInfo", p.info, lambda got: got[0] == v.VIR_STORAGE_POOL_RUNNING)
s = call("virStorageVolCreateXML", lambda: p.createXML(
    "<volume><name>a.qcow2</name><capacity unit='MiB'>8</capacity><target><format type='qcow2'/></target></volume>"))
call("virStoragePoolListAllVolumes", p.listAllVolumes, lambda got: [one.name() for one in got] == ["a.qcow2"])
call("virStorageVolGetInfo", s.info, lambda got: got[1] == 8388608)
call("virStorageVolGetInfoFlags", lambda: s.infoFlags(v.VIR_STORAGE_VOL_GET_PHYSICAL),
     lambda got: got[1] == 8388608 and got[2] < 8388608)
call("virStoragePoolLookupByTargetPath", lambda: c.storagePoolLookupByTargetPath(POOL + "/"),
     lambda got: got.name() == "p")
fails("virStoragePoolLookupByTargetPath of none", v.VIR_ERR_NO_STORAGE_POOL,
      lambda: c.storagePoolLookupByTargetPath("/nowhere"))
call("virStorageVolGetPath", s.path, lambda got: got == f"{POOL}/a.qcow2")
call("virStoragePoolLookupByVolume", s.storagePoolLookupByVolume, lambda got: got.name() == "p")
call("virStorageVolResize", lambda: s.resize(16777216))
call("virStorageVolCreateXMLFrom", lambda: p.createXMLFrom(
    "<volume><name>b.raw</name><capacity>0</capacity><target><format type='raw'/></target></volume>", s))
call("virStorageVolWipe", lambda: p.storageVolLookupByName("b.raw").wipe())
call("virStorageVolDelete", s.delete)
call("virStoragePoolRefresh", p.refresh)
call("virStoragePoolGetXMLDesc at its end", p.XMLDesc, lambda got: got.endswith("</pool>\n"))
call("virStoragePoolDestroy", p.destroy)
call("virStoragePoolGetXMLDesc of a defined one", p.XMLDesc, lambda got: got.endswith("</pool>\n"))
call("virConnectListAllNodeDevices", lambda: c.listAllDevices(v.VIR_CONNECT_LIST_NODE_DEVICES_PERSISTENT),
     lambda got: [one.name() for one in got] == ["computer"])
call("virNodeDeviceIsPersistent", lambda: [one.isPersistent() for one in c.listAllDevices() if one.name() != "computer"],
     lambda got: not any(got))
call("virConnectListDefinedInterfaces", c.listDefinedInterfaces, lambda got: "lo" not in got)
call("virStoragePoolUndefine", p.undefine)
call("virConnectClose", c.close)
print(json.dumps(said))
