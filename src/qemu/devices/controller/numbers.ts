import type { Controller } from "../../../domain/devices/controller.ts";

/**
 * Assigns each controller without a number the lowest free number of its type. Successive parts of a USB 2
 * controller share a number. virDomainAssignControllerIndexes() of libvirt
 */
export function numberControllers(controllers: readonly Controller[]): readonly Controller[] {
  const taken = new Map<string, Set<number>>();
  const parts = new Set<string>();
  const take = ({ type, index = 0, ...controller }: Controller): void => {
    taken.set(type, (taken.get(type) ?? new Set()).add(index));
    if ("model" in controller) parts.add(`${controller.model} ${index}`);
  };
  for (const controller of controllers) if (controller.index !== undefined) take(controller);
  let before: Controller | undefined;
  return controllers.map((controller) => {
    const index =
      controller.index ?? groupOf(controller, before, parts) ?? lowestFree(taken.get(controller.type));
    const numbered = { ...controller, index };
    take(numbered);
    if (controller.type === "usb") before = numbered;
    return numbered;
  });
}

/** Number of the preceding part, unless its controller already has a part of this model. */
function groupOf(
  controller: Controller,
  before: Controller | undefined,
  parts: ReadonlySet<string>,
): number | undefined {
  if (before?.index === undefined || !isUsb2(controller) || !isUsb2(before)) return undefined;
  return parts.has(`${controller.model} ${before.index}`) ? undefined : before.index;
}

function isUsb2(controller: Controller): controller is Extract<Controller, { readonly type: "usb" }> {
  return controller.type === "usb" && (controller.model?.startsWith("ich9-") ?? false);
}

function lowestFree(numbers: ReadonlySet<number> = new Set()): number {
  let index = 0;
  while (numbers.has(index)) index += 1;
  return index;
}
