/** Reference tables: list, rows, uploads, and what a file would give (siem.md §1.19). */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { AppendAnswerAttributes, LineError, RowPageAnswer, TableAnswerData, TableSchema, UploadCheckAnswerAttributes } from "./generated/types.gen";

export type ReferenceTable = TableAnswerData;
export type { LineError, TableSchema };
export type UploadCheck = UploadCheckAnswerAttributes;
export type RowValues = Record<string, string | number>;

/** The server's limit on a file. */
export const MOST_BYTES = 4_000_000;
const BASE = "/api/v2/reference-tables";
const KEY = "tables";
const ROWS = 100;
const PAGE = 100;

const path = (id: string): string => `${BASE}/tables/${encodeURIComponent(id)}`;

export const tablesQuery = (contains: string, sort: string) =>
  infiniteQueryOptions({
    queryKey: [KEY, "list", contains, sort],
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({ "page[limit]": String(PAGE), "page[offset]": String(pageParam), sort, ...(contains ? { "filter[table_name][contains]": contains } : {}) });
      return get<{ data: ReferenceTable[] }>(`${BASE}/tables?${search.toString()}`, signal);
    },
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (page.data.length < PAGE ? null : pages.length * PAGE),
    placeholderData: keepPreviousData,
  });

/** The first of them with their columns, for a choice; another can be named all the same. */
export const tableChoicesQuery = queryOptions({
  queryKey: [KEY, "choices"],
  queryFn: async ({ signal }) => (await get<{ data: ReferenceTable[] }>(`${BASE}/tables?page[limit]=${String(PAGE)}&sort=table_name`, signal)).data,
  staleTime: 60_000,
  retry: false,
});

export const tableQuery = (id: string) =>
  queryOptions({ queryKey: [KEY, "one", id], queryFn: async ({ signal }) => (await get<{ data: ReferenceTable }>(path(id), signal)).data });

/** Rows by primary key; with a text those that have it in a value. A page may be short, or empty, before the last. */
export const rowsQuery = (id: string, contains: string) =>
  infiniteQueryOptions({
    queryKey: [KEY, "rows", id, contains],
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({ "page[limit]": String(ROWS), ...(contains ? { "filter[contains]": contains } : {}), ...(pageParam ? { "page[continuation_token]": pageParam } : {}) });
      return get<RowPageAnswer>(`${path(id)}/rows/list?${search.toString()}`, signal);
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.meta.page.next_continuation_token ?? null,
    placeholderData: keepPreviousData,
  });

export const tableKeys = { all: [KEY] as const };

export const valuesOf = (row: RowPageAnswer["data"][number]): RowValues => (row.attributes.values ?? {}) as RowValues;

/** The row of a primary key, if it is there. */
export const hasRow = async (id: string, key: string): Promise<boolean> => (await get<{ data: unknown[] }>(`${path(id)}/rows?row_id=${encodeURIComponent(key)}`)).data.length > 0;

/** Texts become numbers where the column has numbers. */
export const upsertRow = (id: string, key: string, values: Record<string, string>): Promise<undefined> => post(`${path(id)}/rows`, { data: [{ id: key, type: "row", attributes: { values } }] });

export const deleteRow = (id: string, key: string): Promise<undefined> => request("DELETE", `${path(id)}/rows`, { body: { data: [{ id: key, type: "row" }] } });

export const deleteTable = (id: string): Promise<undefined> => request("DELETE", path(id));

/** Sends a file, for a table of that name; the answer is the upload's id, which holds for an hour. */
export async function uploadFile(tableName: string, headers: string[], file: File, signal?: AbortSignal): Promise<string> {
  const attributes = { table_name: tableName, headers, part_count: 1, part_size: Math.max(1, file.size) };
  const begun = await post<{ data: { id: string; attributes: { part_urls: string[] } } }>(`${BASE}/uploads`, { data: { type: "upload", attributes } }, signal);
  const address = new URL(begun.data.attributes.part_urls[0] ?? "");
  // The path alone: the server may know itself under another name than the browser does.
  await request("PUT", `${address.pathname}${address.search}`, { raw: file, signal });
  return begun.data.id;
}

export const uploadCheckQuery = (uploadId: string, schema: TableSchema) =>
  queryOptions({
    queryKey: [KEY, "check", uploadId, schema],
    queryFn: async ({ signal }) => (await post<{ data: { attributes: UploadCheck } }>(`${BASE}/uploads/${uploadId}/check`, { data: { type: "upload_check", attributes: { schema } } }, signal)).data.attributes,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: Infinity,
  });

export const createTable = async (name: string, description: string, schema: TableSchema, uploadId: string): Promise<ReferenceTable> =>
  (await post<{ data: ReferenceTable }>(`${BASE}/tables`, { data: { type: "reference_table", attributes: { table_name: name, description, source: "LOCAL_FILE", schema, file_metadata: { upload_id: uploadId } } } })).data;

export const replaceRows = (id: string, schema: TableSchema, uploadId: string): Promise<undefined> =>
  request("PATCH", path(id), { body: { data: { type: "reference_table", attributes: { schema, file_metadata: { upload_id: uploadId } } } } });

export const appendRows = async (id: string, uploadId: string): Promise<AppendAnswerAttributes> =>
  (await post<{ data: { attributes: AppendAnswerAttributes } }>(`${path(id)}/rows/append`, { data: { type: "upload", id: uploadId } })).data.attributes;
