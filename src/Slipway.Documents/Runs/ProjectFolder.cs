namespace Slipway.Documents.Runs;

/// <summary>The places of a project. State lives under <c>.slipway/</c>; the spec's lock is the only other file written.</summary>
/// <param name="Root">Absolute path of the folder that holds the spec.</param>
/// <param name="SpecFile">The spec, relative to the root.</param>
public sealed record ProjectFolder(string Root, string SpecFile = "slipway.yaml")
{
    public string State => Path.Combine(Root, ".slipway");

    /// <summary>Content store: stage outputs by digest.</summary>
    public string Objects => Path.Combine(State, "objects");

    /// <summary>OCI image layout that holds the sealed bundles.</summary>
    public string Bundles => Path.Combine(State, "bundles");

    /// <summary>One small document per step key: the outputs that it gave.</summary>
    public string Steps => Path.Combine(State, "steps");

    /// <summary>One small document per seal key: the bundle that it gave, and what was found of it.</summary>
    public string Seals => Path.Combine(State, "seals");

    /// <summary>One small document per host environment that a step key names by digest.</summary>
    public string Environments => Path.Combine(State, "environments");

    /// <summary>Host environments' fingerprints, kept while the package database does not change.</summary>
    public string FingerprintCache => Path.Combine(State, "fingerprints.json");

    /// <summary>Which outputs in the user's tree were put there by Slipway.</summary>
    public string Checkouts => Path.Combine(State, "checkouts");

    /// <summary>One folder per run: its record, logs and reports.</summary>
    public string Runs => Path.Combine(State, "runs");

    /// <summary>Private folders of stages that run now; anything in it while no run holds the lock is left from a crash.</summary>
    public string Work => Path.Combine(State, "work");

    /// <summary>Columns, row counts and validation reports of datasets, by content.</summary>
    public string Tables => Path.Combine(State, "tables");

    /// <summary>Scratch space of the SQL engine.</summary>
    public string Scratch => Path.Combine(State, "scratch");

    /// <summary>Digests of the user's files by path and stamp.</summary>
    public string DigestIndex => Path.Combine(State, "digests");

    /// <summary>Locked while a run changes anything here.</summary>
    public string RunLock => Path.Combine(State, "run.lock");

    /// <summary>Beside the spec and named like it: <c>slipway.lock</c>, and <c>slipway.onnx.lock</c> for <c>slipway.onnx.yaml</c>.</summary>
    public string LockFile => Path.Combine(Root, LockName);

    /// <summary>The lock, relative to the root: for messages.</summary>
    public string LockName => Path.ChangeExtension(SpecFile, ".lock");
}
