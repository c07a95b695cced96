import { MantineProvider, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { AttributeTable } from "@/components/AttributeTable";
import { FacetValues } from "@/components/explorer/FacetValues";
import { JsonView } from "@/components/JsonView";
import { renderMarkdown } from "@/components/markdownText";
import { Tags } from "@/components/Tag";

const NAME = "photo\u202Egpj.exe";
const html = (content: ReactNode): string => renderToStaticMarkup(<MantineProvider>{content}</MantineProvider>);

describe("a mark that turns the direction of writing", () => {
  it.each<[string, ReactNode]>([
    ["JSON", <JsonView key="" value={{ [NAME]: [NAME] }} depth={3} />],
    ["tags", <Tags key="" tags={[`file:${NAME}`, NAME]} />],
    ["attributes", <AttributeTable key="" value={{ [NAME]: NAME }} />],
    ["facets", <FacetValues key="" label="File" field="@file" query="" values={[{ value: NAME, count: 1 }]} onQuery={() => undefined} />],
    ["a message", <div key="">{renderMarkdown(`# ${NAME}\n\n${NAME} **${NAME}** \`${NAME}\`\n\n    ${NAME}`)}</div>],
    ["a title", <h2 key="" title={NAME} aria-label={NAME}>{NAME}</h2>],
    ["a sentence", <p key="">Found {NAME} and {1} more</p>],
    ["a list within a sentence", <p key="">Found {[NAME, [" and ", NAME]]} and more</p>],
    ["what is said below a field", <TextInput key="" label={NAME} description={`As in ${NAME}`} error={`Not ${NAME}`} placeholder={NAME} />],
  ])("is shown in %s", (_, content) => {
    expect(html(content)).toContain("photo⟨U+202E⟩gpj.exe");
    expect(html(content)).not.toContain("\u202E");
  });

  it("stays in what is typed, copied or followed", () => {
    expect(html(<input defaultValue={NAME} />)).toContain(NAME);
    expect(html(<a href={`/logs?query=${NAME}`}>logs</a>)).toContain(NAME);
  });
});
