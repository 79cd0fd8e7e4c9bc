import { asDefined } from "../../domain/definition-of-running.ts";
import { formatDomain, parseDomainText } from "../../domain/document.ts";
import { refuseCpuUpdate } from "../../domain/machine/updated-cpu.ts";
import { asSvirtError, type SvirtError } from "../../errors.ts";
import { asMigratable } from "../../qemu/migratable.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { askChannels } from "../console/channel-states.ts";
import { type Form, xmlOf } from "../guest/domain-form.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { formatLive } from "./live-xml.ts";

/** XML of a domain. */
export interface DomainXml {
  readonly name: string;
  readonly uuid: string;
  /** Whether the XML is that of a running guest, with its id, label and addresses. */
  readonly isLive: boolean;
  readonly xml: string;
  /** Reason why the XML does not show the channels that the guest has open; undefined if it does. */
  readonly channelsError: SvirtError | undefined;
}

/** Returns the XML of a domain as it runs or is defined, or in the form that it has. Throws "not-found". */
export async function getDomainXml(instance: Instance, key: string, form: Form): Promise<DomainXml> {
  const found = findDomain(instance, key);
  const { guest, name, uuid } = found;
  if (guest === undefined || form === "defined") {
    const xml = inactiveXml(found);
    return { name, uuid, isLive: false, xml, channelsError: undefined };
  }
  const { error, states } = await channelsOf(instance, guest);
  return { name, uuid, isLive: true, xml: formatLive(instance, guest, states), channelsError: error };
}

/** How a domain's XML is shown. */
interface XmlOptions {
  readonly form: Form;
  /** VIR_DOMAIN_XML_UPDATE_CPU of libvirt, without a meaning for a running guest. */
  readonly isUpdated: boolean;
  /**
   * VIR_DOMAIN_XML_MIGRATABLE: without a running guest's id and label, and as old versions of libvirt
   * understand it.
   */
  readonly isMigratable: boolean;
}

/**
 * Returns the XML as getDomainXml() does, changed by the options. Throws as getDomainXml() and
 * refuseCpuUpdate().
 */
export async function getXmlAs(
  instance: Instance,
  key: string,
  { form, isMigratable, isUpdated }: XmlOptions,
): Promise<DomainXml> {
  const shown = isMigratable
    ? migratableXml(findDomain(instance, key), form)
    : await getDomainXml(instance, key, form);
  if (isUpdated && !shown.isLive) refuseCpuUpdate(parseDomainText(shown.xml).cpu);
  return shown;
}

function migratableXml(found: FoundDomain, form: Form): DomainXml {
  const { guest, name, uuid } = found;
  const isLive = guest !== undefined && form === "running";
  const domain = isLive ? runningGuest(guest).domain : parseDomainText(xmlOf(found, form) ?? "");
  const xml = formatDomain(asMigratable(asDefined(domain)));
  return { name, uuid, isLive, xml, channelsError: undefined };
}

/**
 * Returns the definition; without a definition, the XML of the running guest with its networks, volumes and
 * automatic ports.
 */
function inactiveXml(found: FoundDomain): string {
  const xml = xmlOf(found, "defined") ?? "";
  return found.definition === undefined && /<source (?:network|file='[^']*' pool)=|<graphics /.test(xml)
    ? formatDomain(asDefined(parseDomainText(xml)))
    : xml;
}

/** Returns the open channels; none and the error for a silent guest. */
async function channelsOf(
  instance: Instance,
  guest: GuestRecord,
): Promise<{ readonly states: ReadonlyMap<string, boolean>; readonly error: SvirtError | undefined }> {
  try {
    return { states: await askChannels(instance, guest), error: undefined };
  } catch (thrown) {
    return { states: new Map(), error: asSvirtError(thrown) };
  }
}
