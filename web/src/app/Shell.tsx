import { Menu, Tooltip, UnstyledButton, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { Link, Outlet, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { signOut, useMe } from "@/api/session";
import { useHotkeyListener, useHotkeys } from "@/components/hotkeys";
import { Icon, type IconName } from "@/components/icons";
import { GoTo } from "./GoTo";
import { HotkeyHelp } from "./HotkeyHelp";
import { NAVIGATION, offered } from "./navigation";
import { queryClient } from "./queryClient";
import classes from "./Shell.module.css";
import { StatusBar } from "./StatusBar";

const SCHEMES: { value: MantineColorScheme; label: string; icon: IconName }[] = [
  { value: "light", label: "Light", icon: "sun" },
  { value: "dark", label: "Dark", icon: "moon" },
  { value: "auto", label: "As the system", icon: "monitor" },
];

/** Navigation left, the page, the status line below. */
export function Shell() {
  const [helping, setHelping] = useState(false);
  const [going, setGoing] = useState(false);
  const me = useMe();
  useHotkeyListener();
  useHotkeys([
    { keys: ["?"], label: "This help", group: "Everywhere", run: () => setHelping(true) },
    { keys: ["mod+k"], label: "Go to", group: "Everywhere", run: () => setGoing(true), whileTyping: true },
  ]);
  return (
    <div className={classes.shell}>
      <a href="#page" className={classes.skip}>
        Skip to the page
      </a>
      <nav className={classes.nav} aria-label="Main">
        <Link to="/signals" className={classes.brand} aria-label="Tocsin">
          <img src="/favicon.svg" alt="" width={22} height={22} />
          <span className={classes.label} aria-hidden="true">
            Tocsin
          </span>
        </Link>
        {offered(NAVIGATION, (permission) => me.permissions.has(permission)).map((group) => (
          <div key={group.label} role="group" aria-label={group.label} className={classes.group}>
            <p className={classes.groupLabel} aria-hidden="true">
              {group.label}
            </p>
            {group.items.map((page) => (
              <Link key={page.to} to={page.to} className={classes.item} activeProps={{ "aria-current": "page", "data-active": true }}>
                <Icon name={page.icon} />
                <span className={classes.label}>{page.label}</span>
              </Link>
            ))}
          </div>
        ))}
        <div className={classes.spacer} />
        <Tooltip label="Go to (Ctrl+K)" position="right">
          <UnstyledButton className={classes.item} onClick={() => setGoing(true)} aria-label="Go to">
            <Icon name="search" />
            <span className={classes.label}>Go to</span>
          </UnstyledButton>
        </Tooltip>
        <Tooltip label="Keyboard help (?)" position="right">
          <UnstyledButton className={classes.item} onClick={() => setHelping(true)} aria-label="Keyboard help">
            <Icon name="help" />
            <span className={classes.label}>Help</span>
          </UnstyledButton>
        </Tooltip>
        <Account />
      </nav>
      <main id="page" className={classes.page} tabIndex={-1}>
        <Outlet />
      </main>
      <StatusBar />
      <HotkeyHelp opened={helping} onClose={() => setHelping(false)} />
      <GoTo opened={going} onClose={() => setGoing(false)} />
    </div>
  );
}

function Account() {
  const me = useMe();
  const router = useRouter();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = async (everywhere: boolean) => {
    await signOut(everywhere);
    queryClient.clear();
    await router.navigate({ to: "/sign-in", search: {} });
  };
  return (
    <Menu position="right-end" width={220}>
      <Menu.Target>
        <UnstyledButton className={classes.item}>
          <span className="visually-hidden">Account of {me.name}</span>
          <span className={classes.avatar} aria-hidden="true">
            {initials(me.name)}
          </span>
          <span className={`${classes.label ?? ""} truncate`} aria-hidden="true">
            {me.name}
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.name}
          <br />
          {me.email}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Label>Theme</Menu.Label>
        {SCHEMES.map((scheme) => (
          <Menu.Item key={scheme.value} role="menuitemradio" aria-checked={scheme.value === colorScheme} leftSection={<Icon name={scheme.icon} />} rightSection={scheme.value === colorScheme && <Icon name="check" size={14} />} onClick={() => setColorScheme(scheme.value)}>
            {scheme.label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="logout" />} onClick={() => void leave(false)}>
          Sign out
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="logout" />} onClick={() => void leave(true)}>
          Sign out everywhere
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s.@_-]+/).filter(Boolean);
  return `${words[0]?.charAt(0) ?? "?"}${words[1]?.charAt(0) ?? ""}`.toUpperCase();
}
