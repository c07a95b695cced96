import { ActionIcon, Button, FileButton, Tooltip } from "@mantine/core";
import { uploadFeed, type FeedItem } from "@/api/intel";
import { Icon } from "@/components/icons";
import { tell } from "@/components/telling";
import { formatNumber, plural } from "@/lib/format";
import { useFeedAction } from "./FeedsTab";

const MOST_BYTES = 100_000_000;

/** Replaces what a feed holds by a file, and says what came of it. */
export function UploadButton({ feed, compact = false }: { feed: FeedItem; compact?: boolean }) {
  const { name } = feed.attributes;
  const upload = useFeedAction(name, async (file: File) => {
    if (file.size > MOST_BYTES) throw new Error(`${file.name} has ${formatNumber(file.size)} bytes; a feed may have ${formatNumber(MOST_BYTES)}. Compress it with gzip, or split it.`);
    const { health } = (await uploadFeed(feed.id, file)).attributes;
    tell(`${plural(health.indicators, "indicator")} taken from ${file.name}${health.skipped > 0 ? `, ${plural(health.skipped, "row")} left out` : ""}`, name);
  });
  return (
    <FileButton onChange={(file) => file && upload.mutate(file)} inputProps={{ "aria-label": `File for ${name}` }} accept=".csv,.txt,.tsv,.json,.gz">
      {(props) =>
        compact ? (
          <Tooltip label="Upload a file in place of what it holds">
            <ActionIcon {...props} aria-label={`Upload a file for ${name}`} loading={upload.isPending}>
              <Icon name="upload" />
            </ActionIcon>
          </Tooltip>
        ) : (
          <Button {...props} variant="default" leftSection={<Icon name="upload" size={14} />} loading={upload.isPending}>
            Upload a file
          </Button>
        )
      }
    </FileButton>
  );
}
