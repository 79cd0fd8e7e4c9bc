import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import {
  addIothreadTo,
  type IothreadValues,
  replaceIothreadValues,
  withoutIothread,
} from "../../domain/edits/iothreads.ts";
import { listIothreads } from "../../domain/machine/list-iothreads.ts";
import { SvirtError } from "../../errors.ts";
import { planAttach } from "../../plan/actions/hotplug.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { setIothreadCommands } from "../../qemu/monitor/iothreads.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import type { DecidedChange } from "../change/change-guest.ts";
import { tuneNewThreads } from "./new-threads.ts";

/**
 * Adds an I/O thread. Throws the errors of changeDomain(), "usage" if it exists. qemuDomainAddIOThread() of
 * libvirt
 */
export async function addIothread(instance: Instance, ask: Ask, id: number): Promise<Changed> {
  return await changeDomain(instance, ask, {
    live: { what: `add the I/O thread ${id}`, decide: (guest) => decideNew(instance, guest, id) },
    config: (domain) => addIothreadTo(domain, id),
  });
}

/**
 * Removes an I/O thread that no device uses. Throws the errors of changeDomain(), "usage".
 * qemuDomainDelIOThread() of libvirt
 */
export async function removeIothread(instance: Instance, ask: Ask, id: number): Promise<Changed> {
  return await changeDomain(instance, ask, {
    live: {
      what: `remove the I/O thread ${id}`,
      decide: (guest) => ({
        steps: [],
        after: [
          {
            do: "unplug",
            monitor: monitorOf(instance, guest),
            commands: [{ execute: "object-del", arguments: { id: `iothread${id}` } }],
            sets: [],
          },
        ],
        xml: xmlOf(withoutIothread(parseDomainText(guest.xml), id)),
      }),
    },
    config: (domain) => withoutIothread(domain, id),
  });
}

/**
 * Sets values of an I/O thread. Throws the errors of changeDomain(), "usage". qemuDomainSetIOThreadParams()
 * of libvirt
 */
export async function setIothread(
  instance: Instance,
  ask: Ask,
  { id, values }: { readonly id: number; readonly values: IothreadValues },
): Promise<Changed> {
  const change = (domain: Domain): Domain => replaceIothreadValues(domain, id, values);
  return await changeDomain(instance, ask, {
    live: {
      what: `set the I/O thread ${id}`,
      decide: (guest) => decideValues(instance, guest, { id, change }),
    },
    config: change,
  });
}

function decideNew(instance: Instance, guest: GuestRecord, id: number): DecidedChange {
  const before = parseDomainText(guest.xml);
  if (before.cputune?.iothreadQuotaUs !== undefined) {
    throw new SvirtError(
      "Operation not supported: the running guest cannot get an I/O thread: <iothread_quota> limits each, and the control group of a new one is missing",
      {
        kind: "unsupported",
        libvirt: "OPERATION_UNSUPPORTED",
        remedy: "Change the definition for the next start: --config",
      },
    );
  }
  const xml = xmlOf(addIothreadTo(before, id));
  const command = { execute: "object-add", arguments: { "qom-type": "iothread", id: `iothread${id}` } };
  const plugged = planAttach({ files: [], passedFiles: [], commands: [command] }, monitorOf(instance, guest));
  return { steps: [...plugged.steps, ...tuneNewThreads(instance, guest, xml)], after: plugged.after, xml };
}

function decideValues(
  instance: Instance,
  guest: GuestRecord,
  { change, id }: { readonly id: number; readonly change: (domain: Domain) => Domain },
): DecidedChange {
  const before = parseDomainText(guest.xml);
  const xml = xmlOf(change(before));
  const find = (domain: Domain) => listIothreads(domain).find((thread) => thread.id === id) ?? { id };
  const monitor = monitorOf(instance, guest);
  const steps = setIothreadCommands(find(before), find(parseDomainText(xml))).map(
    (commands): Step => ({ do: "change-setting", monitor, ...commands }),
  );
  return { steps, after: [], xml };
}

/** Parses the XML again for its refusals: numbers out of range, and contradictions. */
function xmlOf(domain: Domain): string {
  const xml = formatDomain(domain);
  parseDomainText(xml);
  return xml;
}

function monitorOf(instance: Instance, { uuid }: GuestRecord): string {
  return guestPaths(instance.paths, uuid).monitor;
}
