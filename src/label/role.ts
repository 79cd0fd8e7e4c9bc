/**
 * Role of a file for a guest: it decides the label of the file, and whether another guest may use it at the
 * same time.
 *
 * - `private`: only this guest uses it. Label: svirt_image_t with the guest's categories.
 * - `folder`: a folder used by this guest only, with its contents. Label: svirt_folder_t with the guest's
 *   categories.
 * - `shared`: written by several guests. Label: svirt_image_t without categories.
 * - `content`: read by guests and written by none. Label: virt_content_t, without categories.
 * - `host`: part of the host, such as packaged firmware. It keeps its label.
 */
export type FileRole = "private" | "folder" | "shared" | "content" | "host";

/** `refused`: a start refuses the domain that names such a resource, since svirt cannot label it. */
export type ResourceRole = FileRole | "refused";

/** Row of the table: the role of a kind of resource in a use. */
export interface RoleRow {
  readonly role: ResourceRole;
  /** Elements of domain XML for the resource. */
  readonly xml: string;
  readonly reason: string;
}

/** Builds a row of the table of roles. */
export function row<Role extends ResourceRole>(role: Role, xml: string, reason: string) {
  return { role, xml, reason };
}
