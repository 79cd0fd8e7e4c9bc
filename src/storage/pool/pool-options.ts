import { attributesDraft, type Draft, parentDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";

/**
 * Parts of a pool that may also be given by position, as in `pool-define-as images dir - - - - /srv/images`.
 */
export const PLACED_POOL_OPTIONS = [
  "source-host",
  "source-path",
  "source-dev",
  "source-name",
  "target",
  "source-format",
] as const;

/** Parts of a pool given by name. */
export const POOL_OPTIONS = [
  ...(["auth-type", "auth-username", "secret-usage", "secret-uuid", "adapter-name"] as const),
  ...(["adapter-wwnn", "adapter-wwpn", "adapter-parent", "adapter-parent-wwnn"] as const),
  ...(["adapter-parent-wwpn", "adapter-parent-fabric-wwn", "source-protocol-ver"] as const),
  "source-initiator",
] as const;

/** Name of an option for a part of a pool. */
export type PoolOption = (typeof PLACED_POOL_OPTIONS | typeof POOL_OPTIONS)[number];

type Options = ReadonlyMap<string, string>;

/**
 * Returns the document of a pool given by these options, possibly incomplete. virshBuildPoolXML() of libvirt
 */
export function formatPoolOptions(name: string, type: string, options: Options): string {
  const given = (option: PoolOption): string | undefined => options.get(option);
  const parts = sourceParts(given);
  const source = parts.length === 0 ? [] : [parentDraft("source", parts)];
  const path = textIf("path", given("target"));
  const target = path.length === 0 ? [] : [parentDraft("target", path)];
  const draft = attributesDraft("pool", { type });
  draft.children.push(textDraft("name", name), ...source, ...target);
  return formatDocument(draft);
}

type Given = (option: PoolOption) => string | undefined;

/**
 * Returns the `<source>` of a server to search. cmdFindStoragePoolSourcesAs() of libvirt's tools/virsh-pool.c
 */
export function formatSearchedSource(
  host: string,
  { initiator, port }: { readonly port: string | undefined; readonly initiator: string | undefined },
): string {
  const iqn = attributeIf("iqn", "name", initiator);
  const server = presentDraft("host", { name: host, port });
  return formatDocument(
    parentDraft("source", [server, ...(iqn.length === 0 ? [] : [parentDraft("initiator", iqn)])]),
  );
}

/** Returns the parts of the source in virsh's order. */
function sourceParts(given: Given): readonly Draft[] {
  const iqn = attributeIf("iqn", "name", given("source-initiator"));
  return [
    ...attributeIf("host", "name", given("source-host")),
    ...attributeIf("dir", "path", given("source-path")),
    ...attributeIf("device", "path", given("source-dev")),
    ...(iqn.length === 0 ? [] : [parentDraft("initiator", iqn)]),
    ...adapterDraft(given),
    ...authDraft(given),
    ...attributeIf("format", "type", given("source-format")),
    ...textIf("name", given("source-name")),
    ...attributeIf("protocol", "ver", given("source-protocol-ver")),
  ];
}

function adapterDraft(given: Given): readonly Draft[] {
  const [wwnn, wwpn, name] = [given("adapter-wwnn"), given("adapter-wwpn"), given("adapter-name")];
  if (wwnn !== undefined || wwpn !== undefined)
    return [
      presentDraft("adapter", {
        type: "fc_host",
        ...adapterParent(given),
        wwnn,
        wwpn,
      }),
    ];
  return name === undefined ? [] : [presentDraft("adapter", { type: "scsi_host", name })];
}

/**
 * Returns the most specific name of an adapter's parent, as virsh does. Half a pair stays, and is refused.
 */
function adapterParent(given: Given): Readonly<Record<string, string | undefined>> {
  const parent = given("adapter-parent");
  if (parent !== undefined) return { parent };
  const [node, port] = [given("adapter-parent-wwnn"), given("adapter-parent-wwpn")];
  if (node !== undefined || port !== undefined) return { parent_wwnn: node, parent_wwpn: port };
  return { parent_fabric_wwn: given("adapter-parent-fabric-wwn") };
}

function authDraft(given: Given): readonly Draft[] {
  const secret = { usage: given("secret-usage"), uuid: given("secret-uuid") };
  const user = { type: given("auth-type"), username: given("auth-username") };
  if ([...Object.values(secret), ...Object.values(user)].every((value) => value === undefined)) return [];
  const draft = presentDraft("auth", user);
  draft.children.push(presentDraft("secret", secret));
  return [draft];
}

/** Returns an element with the present attributes. */
function presentDraft(tag: string, values: Readonly<Record<string, string | undefined>>): Draft {
  const draft = attributesDraft(tag, {});
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) draft.attributes.set(name, value);
  return draft;
}

function attributeIf(tag: string, name: string, value: string | undefined): readonly Draft[] {
  return value === undefined ? [] : [presentDraft(tag, { [name]: value })];
}

function textIf(tag: string, value: string | undefined): readonly Draft[] {
  return value === undefined ? [] : [textDraft(tag, value)];
}
