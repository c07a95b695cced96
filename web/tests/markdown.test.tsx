import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { renderMarkdown } from "@/components/markdownText";
import { safeUrl } from "@/lib/safeUrl";

const html = (text: string): string => renderToStaticMarkup(<>{renderMarkdown(text)}</>);

describe("a message with an attacker's text in it", () => {
  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "text <b onclick=alert(1)>bold</b>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](//evil.example)",
    "[x](/relative)",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example\" onmouseover=\"alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "`<script>`\n\n```html\n<script>alert(1)</script>\n```",
    "# <iframe src=https://evil.example>",
  ])("shows %j as text", (text) => {
    const out = html(text);
    expect(out).not.toMatch(/<(script|img|svg|iframe|b|style|object|embed|form)\b/i);
    expect(out).not.toMatch(/href="(?!https?:)/i);
    expect(out.replace(/<[^>]*>/g, (tag) => (/\son\w+=/i.test(tag) ? "HANDLER" : ""))).not.toContain("HANDLER");
  });

  it("links to http and https only, without opener or referrer", () => {
    expect(html("[docs](https://example.com/a?b=c)")).toBe('<p><a href="https://example.com/a?b=c" target="_blank" rel="noopener noreferrer nofollow" title="https://example.com/a?b=c">docs</a></p>');
  });
});

it("renders what playbooks use", () => {
  expect(html("## Goal\nFind **it** and `this`.")).toBe("<h3>Goal</h3><p>Find <strong>it</strong> and <code>this</code>.</p>");
  expect(html("1. one\n2. two")).toBe("<ol start=\"1\"><li>one</li><li>two</li></ol>");
  expect(html("a < b && c > d \"q\" 'r'")).toBe("<p>a &lt; b &amp;&amp; c &gt; d &quot;q&quot; &#x27;r&#x27;</p>");
});

it("knows safe addresses", () => {
  expect(safeUrl("https://example.com")).toBe("https://example.com/");
  for (const text of ["javascript:1", "java\nscript:1", " data:x", "vbscript:x", "//x", "http:/x", "https://"]) expect(safeUrl(text), text).toBeNull();
});

it("takes lines that were wrapped by hand as one, and two blanks at the end as a break", () => {
  expect(html("one\ntwo")).toBe("<p>one\ntwo</p>");
  expect(html("one  \ntwo")).toBe("<p>one<br/>two</p>");
});

it("shows as text what is nested more deeply than can be read", () => {
  const nested = ">".repeat(100_000);
  expect(html(nested)).toBe(`<p>${"&gt;".repeat(100_000)}</p>`);
});
