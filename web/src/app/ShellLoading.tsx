import { PageLoading } from "./PageLoading";
import classes from "./Shell.module.css";

/** The frame of the application, until it is known who looks at it. */
export function ShellLoading() {
  return (
    <div className={classes.shell}>
      <div className={classes.nav}>
        <div className={classes.brand}>
          <img src="/favicon.svg" alt="" width={22} height={22} />
          <span className={classes.label}>Tocsin</span>
        </div>
      </div>
      <main className={classes.page}>
        <PageLoading />
      </main>
    </div>
  );
}
