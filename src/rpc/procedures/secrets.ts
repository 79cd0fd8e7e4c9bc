import { findSecret, noSecret, secretFor } from "../../resolve/secrets/find-secret.ts";
import { MOST_VALUE_BYTES } from "../../secret/value.ts";
import { defineSecret, undefineSecret } from "../../vm/secret/define-secret.ts";
import { selectSecrets } from "../../vm/secret/secret-list.ts";
import { getSecretValue, setSecretValue } from "../../vm/secret/secret-value.ts";
import { array, countedBytes, int, struct, uint, type ValueOf } from "../xdr/form.ts";
import { listAsked, listing, listOf } from "./listing.ts";
import {
  aNumber,
  aText,
  LIST_MAX,
  nothing,
  remoteSecret,
  secret,
  text,
  USAGES,
  uuid,
  uuidText,
} from "./objects.ts";
import { type Procedure, procedure, type RemoteCall } from "./procedure.ts";

/** Bits of a filter, in the order of their values. virConnectListAllSecretsFlags of libvirt */
const FILTER = ["ephemeral", "noEphemeral", "private", "noPrivate"] as const;
/** VIR_SECRET_DEFINE_VALIDATE. svirt refuses what libvirt's schema does not allow in any case. */
const VALIDATE = 1;

const ofSecret = struct({ secret });
const ofSecretWithFlags = struct({ secret, flags: uint });
const aSecret = struct({ secret });
const value = countedBytes(MOST_VALUE_BYTES);

/** Procedures about secrets. */
export const secretProcedures: readonly Procedure[] = [
  procedure({
    number: 139,
    api: "virConnectNumOfSecrets",
    args: nothing,
    result: aNumber,
    run: ({ instance, session }) => ({ value: selectSecrets(instance, {}, session.onDamaged).length }),
  }),
  procedure({
    number: 140,
    api: "virConnectListSecrets",
    args: struct({ most: int }),
    result: struct({ uuids: array(text, LIST_MAX) }),
    run: ({ args, instance, session }) => ({
      uuids: selectSecrets(instance, {}, session.onDamaged)
        .slice(0, Math.max(0, args.most))
        .map((one) => one.uuid),
    }),
  }),
  procedure({
    number: 287,
    api: "virConnectListAllSecrets",
    args: listAsked,
    flags: { known: 2 ** FILTER.length - 1, refusedBy: "secretConnectListAllSecrets" },
    result: listing(secret),
    run({ args, instance, session }) {
      const filter = Object.fromEntries(FILTER.map((name, at) => [name, (args.flags & (1 << at)) !== 0]));
      return listOf(args, selectSecrets(instance, filter, session.onDamaged).map(remoteSecret));
    },
  }),
  procedure({
    number: 141,
    api: "virSecretLookupByUUID",
    args: struct({ uuid }),
    result: aSecret,
    run: ({ args, instance }) => ({ secret: remoteSecret(findSecret(instance, uuidText(args.uuid))) }),
  }),
  procedure({
    number: 147,
    api: "virSecretLookupByUsage",
    args: struct({ usageType: int, usageId: text }),
    result: aSecret,
    run({ args: { usageId, usageType }, instance }) {
      const type = USAGES[usageType - 1];
      const found = type === undefined ? undefined : secretFor(instance, { type, id: usageId });
      if (found === undefined) throw noSecret(`no secret with matching usage '${usageId}'`);
      return { secret: remoteSecret(found) };
    },
  }),
  procedure({
    number: 142,
    api: "virSecretDefineXML",
    args: struct({ xml: text, flags: uint }),
    flags: { known: VALIDATE, refusedBy: "secretDefineXML" },
    result: aSecret,
    run: async ({ args, instance }) => ({
      secret: remoteSecret(await defineSecret(instance, new TextEncoder().encode(args.xml))),
    }),
  }),
  procedure({
    number: 143,
    api: "virSecretGetXMLDesc",
    args: ofSecretWithFlags,
    flags: { known: 0, refusedBy: "secretGetXMLDesc" },
    result: aText,
    run: (call) => ({ value: findSecret(call.instance, keyOf(call)).xml }),
  }),
  procedure({
    number: 144,
    api: "virSecretSetValue",
    args: struct({ secret, value, flags: uint }),
    flags: { known: 0, refusedBy: "secretSetValue" },
    result: nothing,
    async run(call) {
      await setSecretValue(call.instance, keyOf(call), call.args.value);
      return {};
    },
  }),
  procedure({
    number: 145,
    api: "virSecretGetValue",
    // virCheckReadOnlyGoto() of virSecretGetValue(): a connection for reading never gets a value.
    args: ofSecretWithFlags,
    flags: { known: 0, refusedBy: "secretGetValue" },
    result: struct({ value }),
    run: (call) => ({ value: getSecretValue(call.instance, keyOf(call)) }),
  }),
  procedure({
    number: 146,
    api: "virSecretUndefine",
    args: ofSecret,
    result: nothing,
    async run(call) {
      await undefineSecret(call.instance, keyOf(call));
      return {};
    },
  }),
];

/**
 * Returns the key of the secret that a call is about. Only its UUID counts. secretObjFromSecret() of libvirt
 */
function keyOf({ args }: RemoteCall<ValueOf<typeof ofSecret>>): string {
  return uuidText(args.secret.uuid);
}

/** Returns a secret as the protocol has it. */
