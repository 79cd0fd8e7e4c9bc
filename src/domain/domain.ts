import { checked, dropped, looseElement, refused, type ValueOf } from "../xml/element.ts";
import { always, attribute, child, children, kept, required, textOf } from "../xml/field.ts";
import { anyText, oneOf } from "../xml/value-form.ts";
import { devices } from "./devices.ts";
import { domainMemory } from "./domain-memory.ts";
import { defaultIothread, iothreadCount, iothreadIds } from "./forms/iothreads.ts";
import { throttleGroups } from "./forms/iotune.ts";
import { maxMemory, sizeInKiB } from "./forms/memory-size.ts";
import { domainName, generationId, oneLine, uuid } from "./forms/text.ts";
import { crashAction, lifecycleAction, lockFailureAction, pm } from "./lifecycle.ts";
import { clock } from "./machine/clock.ts";
import { cpu } from "./machine/cpu.ts";
import { cputune } from "./machine/cputune.ts";
import { features } from "./machine/features.ts";
import { launchSecurity } from "./machine/launch-security.ts";
import { memoryBacking } from "./machine/memory-backing.ts";
import { numatune } from "./machine/numatune.ts";
import { os } from "./machine/os.ts";
import { qemuCommandline } from "./machine/qemu-commandline.ts";
import { seclabel } from "./machine/seclabel.ts";
import { sysinfo } from "./machine/sysinfo.ts";
import { blkiotune, idmap, memtune, perf, resource } from "./machine/tuning.ts";
import { vcpu, vcpus } from "./machine/vcpu.ts";
import { refuseContradictions } from "./rules/contradictions.ts";

const grammar = looseElement(
  "domain",
  () => ({
    type: required(attribute("type", oneOf("kvm", "qemu"))),
    name: required(textOf("name", domainName)),
    uuid: textOf("uuid", uuid),
    genid: textOf("genid", generationId),
    title: textOf("title", oneLine),
    description: textOf("description", anyText),
    metadata: kept("metadata"),
    maxMemory: child(maxMemory),
    memory: domainMemory,
    // virDomainDefPostParseMemory() of libvirt: 0 is the whole memory.
    currentMemoryKiB: sizeInKiB("currentMemory", { least: 0 }),
    blkiotune: child(blkiotune),
    memtune: child(memtune),
    memoryBacking: child(memoryBacking),
    vcpu: child(vcpu),
    vcpus: child(vcpus),
    iothreads: textOf("iothreads", iothreadCount),
    iothreadIds: child(iothreadIds),
    defaultIothread: child(defaultIothread),
    throttleGroups: child(throttleGroups),
    cputune: child(cputune),
    numatune: child(numatune),
    resource: child(resource),
    sysinfos: children(sysinfo),
    os: required(child(os)),
    idmap: child(idmap),
    features: child(features),
    cpu: child(cpu),
    clock: child(clock),
    onPoweroff: textOf("on_poweroff", lifecycleAction),
    onReboot: textOf("on_reboot", lifecycleAction),
    onCrash: textOf("on_crash", crashAction),
    onLockfailure: textOf("on_lockfailure", lockFailureAction),
    pm: child(pm),
    perf: child(perf),
    devices: always(devices),
    seclabels: children(seclabel),
    launchSecurity: child(launchSecurity),
    qemuCommandline: child(qemuCommandline),
  }),
  [
    dropped("@id", "a definition has no number; a running guest's is in its record"),
    refused("qemu:override", "it gives devices settings that svirt does not understand"),
    refused("qemu:capabilities", "it is for libvirt's own view of QEMU"),
    refused("qemu:deprecation", "it is for libvirt's own view of QEMU"),
    refused("keywrap", "it is for another processor"),
  ],
);

/** `<domain>`, https://libvirt.org/formatdomain.html */
export const domain = checked(grammar, (value, node, faults) => {
  // With a refused part omitted, a contradiction may come from the omission and not from the document.
  if (faults?.isWhole !== false) refuseContradictions(value, node, faults);
});

/** Domain with its UUID, optional in the document of a new definition. */
export type Domain = ValueOf<typeof grammar> & { readonly uuid: string };
