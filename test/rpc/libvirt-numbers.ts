// Written from libvirt: numbers and names from remote_protocol.x; those that refuse a connection for reading
// from the calls of virCheckReadOnlyGoto() in
// src/libvirt-{domain,domain-snapshot,host,interface,network,nodedev,storage,secret}.c.

/** Procedures that a connection for reading may call, by their functions. */
export const READS = numbersIn(`
  virConnectOpen 1 virConnectClose 2 virConnectGetType 3 virConnectGetVersion 4 virConnectGetMaxVcpus 5
  virNodeGetInfo 6 virConnectGetCapabilities 7 virDomainGetXMLDesc 14 virDomainGetAutostart 15 virDomainGetAutostartOnce 449 virConnectSetIdentity 419
  virDomainGetInfo 16 virDomainGetMaxMemory 17 virDomainGetMaxVcpus 18 virDomainGetOSType 19
  virDomainGetVcpus 20 virConnectListDefinedDomains 21 virDomainLookupByID 22 virDomainLookupByName 23
  virDomainLookupByUUID 24 virConnectNumOfDefinedDomains 25 virConnectListDefinedNetworks 36
  virConnectListDomains 37 virConnectListNetworks 38 virNetworkGetXMLDesc 43 virNetworkGetAutostart 44
  virNetworkGetBridgeName 45 virNetworkLookupByName 46 virNetworkLookupByUUID 47
  virConnectNumOfDefinedNetworks 50 virConnectNumOfDomains 51 virConnectNumOfNetworks 52
  virDomainGetSchedulerType 56 virDomainGetSchedulerParameters 57 virConnectGetHostname 59
  virConnectSupportsFeature 60 virDomainBlockStats 64 virDomainInterfaceStats 65 virConnectNumOfStoragePools 71
  virConnectListStoragePools 72 virConnectNumOfDefinedStoragePools 73 virConnectListDefinedStoragePools 74
  virStoragePoolLookupByName 84 virStoragePoolLookupByUUID 85 virStoragePoolLookupByVolume 86
  virStoragePoolGetInfo 87 virStoragePoolGetXMLDesc 88 virStoragePoolGetAutostart 89
  virStoragePoolNumOfVolumes 91 virStoragePoolListVolumes 92 virStorageVolLookupByName 95
  virStorageVolLookupByKey 96 virStorageVolLookupByPath 97 virStorageVolGetInfo 98 virStorageVolGetXMLDesc 99
  virStorageVolGetPath 100 virNodeGetFreeMemory 102 virConnectGetURI 110 virNodeNumOfDevices 111
  virNodeListDevices 112 virNodeDeviceLookupByName 113 virNodeDeviceGetXMLDesc 114 virNodeDeviceGetParent 115
  virNodeDeviceNumOfCaps 116 virNodeDeviceListCaps 117 virDomainGetSecurityLabel 121 virNodeGetSecurityModel 122
  virConnectNumOfInterfaces 126 virConnectListInterfaces 127 virInterfaceLookupByName 128
  virInterfaceLookupByMACString 129 virInterfaceGetXMLDesc 130 virConnectNumOfDefinedInterfaces 137
  virConnectListDefinedInterfaces 138 virConnectNumOfSecrets 139 virConnectListSecrets 140
  virSecretLookupByUUID 141 virSecretGetXMLDesc 143 virSecretLookupByUsage 147 virConnectIsSecure 149
  virDomainIsActive 150 virDomainIsPersistent 151 virNetworkIsActive 152 virNetworkIsPersistent 153
  virStoragePoolIsActive 154 virStoragePoolIsPersistent 155 virInterfaceIsActive 156 virConnectGetLibVersion 157
  virConnectCompareCPU 158 virDomainMemoryStats 159 virConnectBaselineCPU 162 virDomainGetJobInfo 163 virDomainHasManagedSaveImage 183
  virDomainSnapshotGetXMLDesc 186 virDomainSnapshotNum 187 virDomainSnapshotListNames 188
  virDomainSnapshotLookupByName 189 virDomainHasCurrentSnapshot 190 virDomainSnapshotCurrent 191
  virDomainGetBlockInfo 194 virDomainGetMemoryParameters 198 virDomainGetVcpusFlags 200 virDomainIsUpdated 202
  virDomainGetBlkioParameters 206 virDomainGetState 212 virDomainGetSchedulerParametersFlags 223
  virDomainGetControlInfo 229 virDomainGetVcpuPinInfo 230 virDomainGetBlockJobInfo 238
  virDomainBlockStatsFlags 243 virDomainSnapshotGetParent 244 virDomainSnapshotNumChildren 246
  virDomainSnapshotListChildrenNames 247 virDomainGetBlockIoTune 253
  virDomainGetNumaParameters 255 virDomainGetPerfEvents 365 virDomainGetInterfaceParameters 257 virDomainGetCPUStats 262
  virDomainGetDiskErrors 263 virDomainGetMetadata 265 virDomainSnapshotIsCurrent 271
  virDomainSnapshotHasMetadata 272 virConnectListAllDomains 273 virDomainListAllSnapshots 274
  virDomainSnapshotListAllChildren 275 virDomainGetEmulatorPinInfo 280 virConnectListAllStoragePools 281
  virStoragePoolListAllVolumes 282 virConnectListAllNetworks 283 virConnectListAllInterfaces 284
  virConnectListAllNodeDevices 285 virConnectListAllSecrets 287 virNodeGetCPUMap 293 virDomainGetJobStats 298
  virConnectGetCPUModelNames 312 virNetworkGetDHCPLeases 341 virConnectGetAllDomainStats 344
  virDomainGetIOThreadInfo 351 virDomainInterfaceAddresses 353 virConnectRegisterCloseCallback 360
  virConnectNetworkEventRegisterAny 313 virConnectNetworkEventDeregisterAny 314
  virConnectDomainEventRegisterAny 316 virConnectDomainEventDeregisterAny 317
  virConnectStoragePoolEventRegisterAny 368 virConnectStoragePoolEventDeregisterAny 369
  virConnectNodeDeviceEventRegisterAny 374 virConnectNodeDeviceEventDeregisterAny 375
  virConnectSecretEventRegisterAny 380 virConnectSecretEventDeregisterAny 381
  virConnectUnregisterCloseCallback 361 virNodeDeviceGetAutostart 433 virNodeDeviceIsPersistent 435
  virNodeDeviceIsActive 436 virNodeGetCellsFreeMemory 101 virConnectGetSysinfo 203 virNodeGetCPUStats 227
  virNodeGetMemoryStats 228 virDomainGetSecurityLabelList 278 virNodeGetMemoryParameters 289
  virNodeGetFreePages 340 virStorageVolGetInfoFlags 378 virStoragePoolLookupByTargetPath 391
  virConnectGetStoragePoolCapabilities 403 virNetworkListAllPorts 404 virNetworkPortLookupByUUID 405
  virNetworkPortGetXMLDesc 409 virDomainListAllCheckpoints 413 virDomainGetMessages 426 virDomainCheckpointLookupByName 415 virDomainBackupGetXMLDesc 422 virNWFilterLookupByName 175 virNWFilterLookupByUUID 176
  virNWFilterGetXMLDesc 177 virConnectNumOfNWFilters 178 virConnectListNWFilters 179 virConnectListAllNWFilters 286
  virDomainManagedSaveGetXMLDesc 388 virNetworkGetMetadata 445
  virNWFilterBindingLookupByPortDev 397 virNWFilterBindingGetXMLDesc 398 virConnectListAllNWFilterBindings 401`);

/** Procedures that it may not call. */
export const CHANGES = numbersIn(`
  virDomainAttachDevice 8 virDomainCreate 9 virDomainCreateXML 10 virDomainDefineXML 11 virDomainDestroy 12
  virDomainDetachDevice 13 virDomainPinVcpu 26 virDomainReboot 27 virDomainResume 28 virDomainSetAutostart 29
  virDomainSetMaxMemory 30 virDomainSetMemory 31 virDomainSetVcpus 32 virDomainShutdown 33 virDomainSuspend 34
  virDomainUndefine 35 virNetworkCreate 39 virNetworkCreateXML 40 virNetworkDefineXML 41 virNetworkDestroy 42
  virNetworkSetAutostart 48 virNetworkUndefine 49 virNWFilterDefineXML 180 virNWFilterDefineXMLFlags 431 virNWFilterUndefine 181 virDomainCoreDump 53 virDomainRestore 54 virDomainSave 55
  virDomainSetSchedulerParameters 58 virStoragePoolCreateXML 76 virStoragePoolDefineXML 77
  virStoragePoolCreate 78 virStoragePoolBuild 79 virStoragePoolDestroy 80 virStoragePoolDelete 81
  virStoragePoolUndefine 82 virStoragePoolRefresh 83 virStoragePoolSetAutostart 90 virStorageVolCreateXML 93
  virStorageVolDelete 94 virNodeDeviceDettach 118 virNodeDeviceReAttach 119 virNodeDeviceReset 120
  virStorageVolCreateXMLFrom 125 virSecretDefineXML 142 virSecretSetValue 144 virSecretGetValue 145
  virSecretUndefine 146 virDomainAttachDeviceFlags 160 virDomainDetachDeviceFlags 161 virDomainAbortJob 164
  virStorageVolWipe 165 virDomainUpdateDeviceFlags 174 virDomainManagedSave 182 virDomainManagedSaveRemove 184
  virDomainSnapshotCreateXML 185 virDomainRevertToSnapshot 192 virDomainSnapshotDelete 193
  virDomainCreateWithFlags 196 virDomainSetMemoryParameters 197 virDomainSetVcpusFlags 199
  virDomainOpenConsole 201 virDomainSetMemoryFlags 204 virDomainSetBlkioParameters 205 virStorageVolUpload 208
  virStorageVolDownload 209 virDomainInjectNMI 210 virDomainScreenshot 211
  virDomainSetSchedulerParametersFlags 219 virDomainPinVcpuFlags 225 virDomainSendKey 226
  virDomainUndefineFlags 231 virDomainSaveFlags 232 virDomainRestoreFlags 233 virDomainDestroyFlags 234
  virConnectCompareHypervisorCPU 393 virConnectBaselineHypervisorCPU 394 virDomainSaveImageGetXMLDesc 235 virDomainBlockJobAbort 237 virDomainBlockJobSetSpeed 239
  virDomainBlockPull 240 virDomainReset 245 virDomainBlockResize 251
  virDomainSetBlockIoTune 252 virDomainSetNumaParameters 254 virDomainSetPerfEvents 366 virDomainPinIOThread 352 virDomainAddIOThread 355 virDomainDelIOThread 356
  virDomainSetIOThreadParams 402 virDomainSetInterfaceParameters 256
  virDomainShutdownFlags 258 virStorageVolWipePattern 259 virStorageVolResize 260 virDomainSetMetadata 264
  virDomainBlockRebase 266 virDomainGetHostname 277 virDomainPinEmulator 279 virDomainBlockCommit 290
  virNetworkUpdate 291 virDomainFSTrim 294 virDomainOpenChannel 296 virDomainSaveParams 440 virDomainRestoreParams 441 virNodeDeviceDetachFlags 301 virDomainCoreDumpWithFormat 334
  virDomainFSFreeze 335 virDomainFSThaw 336 virDomainGetTime 337 virDomainSetTime 338
  virConnectGetDomainCapabilities 342 virDomainBlockCopy 345 virDomainGetFSInfo 349 virDomainDefineXMLFlags 350
  virDomainSetUserPassword 357 virDomainRename 358 virDomainGetGuestInfo 418 virDomainAuthorizedSSHKeysGet 424
  virDomainAuthorizedSSHKeysSet 425
  virConnectFindStoragePoolSources 75 virDomainBlockPeek 103 virConnectDomainXMLToNative 136
  virDomainGetLaunchSecurityInfo 396 virDomainSaveImageDefineXML 236 virDomainSetMemoryStatsPeriod 308 virDomainPMWakeup 267 virNodeGetSEVInfo 395 virDomainManagedSaveDefineXML 389 virNetworkDefineXMLFlags 432 virNetworkCreateXMLFlags 437 virNetworkSetMetadata 444 virDomainAbortJobFlags 442 virDomainSetLifecycleAction 390
  virDomainDetachDeviceAlias 392 virDomainSetVcpu 384 virDomainSetAutostartOnce 450 virDomainAgentSetResponseTimeout 420
  virDomainGetGuestVcpus 371 virDomainSetGuestVcpus 372`);

function numbersIn(text: string): Readonly<Record<string, number>> {
  const pairs = text.matchAll(/(vir\w+) (\d+)/g);
  return Object.fromEntries([...pairs].map(([, name = "", number]) => [name, Number(number)]));
}
