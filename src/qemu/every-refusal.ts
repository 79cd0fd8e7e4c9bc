import type { Devices } from "../domain/devices.ts";
import { ELEMENTS, FAMILIES, type Family } from "../domain/families.ts";
import { listErrors, SvirtError, throwErrors } from "../errors.ts";
import { movedRefusal } from "./refusal.ts";

/** Maximum number of listed refusals: each costs another translation. */
const MOST_REFUSALS = 100;
/** A place that begins with `/domain/devices/disk[2]` or `/domain/devices/vsock`. */
const DEVICE = /^\/domain\/devices\/([a-z]+)(?:\[(\d+)\])?/;

/**
 * Throws all refusals of `translate` about devices, given the first refusal. Removes each refused device and
 * translates the others again. Ends at a refusal of anything else, and at a controller, since other devices
 * need it.
 */
export function refuseEach(devices: Devices, first: unknown, translate: (devices: Devices) => unknown): void {
  const errors: SvirtError[] = [];
  let rest: Rest | undefined = { devices, numbers: new Map() };
  let thrown = first;
  while (thrown !== undefined && rest !== undefined && errors.length < MOST_REFUSALS) {
    if (!(thrown instanceof SvirtError)) throw thrown;
    const refusals = listErrors(thrown);
    const before = rest;
    errors.push(...refusals.map((refusal) => moveBack(refusal, before)));
    rest = leaveOut(rest, refusals[0]?.place);
    thrown = rest === undefined ? undefined : refusalOf(rest.devices, translate);
  }
  throwErrors(errors);
}

/**
 * The remaining devices. For a family with a removed device, `numbers` has the original numbers of the
 * others, from 1.
 */
interface Rest {
  readonly devices: Devices;
  readonly numbers: ReadonlyMap<Family, readonly number[]>;
}

function refusalOf(devices: Devices, translate: (devices: Devices) => unknown): unknown {
  try {
    translate(devices);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

function leaveOut({ devices, numbers }: Rest, place = ""): Rest | undefined {
  const [, tag = "", number = "1"] = DEVICE.exec(place) ?? [];
  const family = familyOf(tag);
  if (family === undefined || family === "controllers") return undefined;
  const list: unknown = devices[family];
  if (!Array.isArray(list)) return { devices: { ...devices, [family]: undefined }, numbers };
  const isOther = (_: unknown, index: number): boolean => index + 1 !== Number(number);
  const known = numbers.get(family) ?? list.map((_, index) => index + 1);
  const left = { ...devices, [family]: list.filter(isOther) };
  return Number(number) > list.length
    ? undefined
    : { devices: left, numbers: new Map(numbers).set(family, known.filter(isOther)) };
}

function moveBack(refusal: SvirtError, { numbers }: Rest): SvirtError {
  const { place = "" } = refusal;
  const [whole = "", tag = "", number] = DEVICE.exec(place) ?? [];
  const family = familyOf(tag);
  const known = family === undefined ? undefined : numbers.get(family)?.[Number(number) - 1];
  if (known === undefined || known === Number(number)) return refusal;
  return movedRefusal(refusal, `/domain/devices/${tag}[${known}]${place.slice(whole.length)}`);
}

/** Returns the family of an element's name. Does not use the forms: a start does not load them. */
function familyOf(tag: string): Family | undefined {
  return FAMILIES.find((family) => ELEMENTS[family] === tag);
}
