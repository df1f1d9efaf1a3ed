using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Hardware;
using Slipway.Documents.Reading;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Store.Content;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>A project in a temporary folder whose stages are shell lines.</summary>
internal sealed class TestProject : IDisposable
{
    private static int runs;

    public TestProject(string? root = null) => Root = root ?? Directory.CreateTempSubdirectory("slipway-").FullName;

    public string Root { get; }

    public ProjectFolder Folder => new(Root);

    public ContentStore Objects => new(Folder.Objects);

    public List<RunEvent> Events { get; } = [];

    /// <summary>Digest, kind and size of each file; datasets of one file named here are declared.</summary>
    public Dictionary<string, Snapshot> Snapshots { get; } = [];

    public Dictionary<string, HostFingerprint> Fingerprints { get; } = [];

    public void Dispose()
    {
        foreach (var folder in Directory.EnumerateDirectories(Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(Root, recursive: true);
    }

    /// <summary>Stages that see the host: what they do to their private folder, or start, can be followed from outside.</summary>
    public static RunOptions Open(RunOptions options) => options with { Isolation = Isolation.None };

    public string PathOf(string path) => Path.Combine(Root, path);

    public void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(path))!);
        File.WriteAllText(PathOf(path), content);
    }

    public string Read(string path) => File.ReadAllText(PathOf(path));

    public Snapshot WriteDataset(string name, string path, string content)
    {
        Write(path, content);
        var digest = Digest.Of(System.Text.Encoding.UTF8.GetBytes(content));
        return Snapshots[name] = new Snapshot(name, Digest.Of(System.Text.Encoding.UTF8.GetBytes(path + content)), [new SnapshotFile(Path.GetFileName(path), content.Length, digest)], [], 1);
    }

    public static Spec Spec(params StageSpec[] stages) => new(
        "test",
        null,
        null,
        [],
        null,
        ImmutableSortedDictionary<string, DatasetSpec>.Empty,
        ImmutableSortedDictionary<string, EnvironmentSpec>.Empty,
        ImmutableSortedDictionary<string, HardwareProfile>.Empty,
        DeterminismSpec.Default,
        ImmutableSortedDictionary<string, JsonElement>.Empty,
        [.. stages],
        null,
        null,
        []);

    /// <param name="inputs">A dot that is not in a file name makes <c>stage.output</c>; <c>@x</c> is a dataset.</param>
    /// <param name="outputs"><c>name=path</c>.</param>
    public static StageSpec Stage(string name, string line, string[]? inputs = null, params string[] outputs) => new(
        name,
        ["/bin/sh", "-c", line],
        null,
        [.. (inputs ?? []).Select(Input)],
        outputs.Select(output => output.Split('=')).ToImmutableSortedDictionary(parts => parts[0], parts => parts[1]),
        [],
        null,
        null,
        null)
    {
        At = new Place("slipway.yaml", 10, 3),
    };

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public DigestIndex OpenIndex() => DigestIndex.Open(Folder.DigestIndex);

    public async Task<RunOutcome> Run(Spec spec, Func<RunOptions, RunOptions>? options = null, CancellationToken cancellation = default)
    {
        var set = new RunOptions { RunId = RunRecord.NewId(DateTimeOffset.UnixEpoch, (uint)Interlocked.Increment(ref runs)), SqlProgram = [] };
        using var held = await RunLock.TakeAsync(Folder, () => { }, cancellation);
        Events.Clear();
        return await new Runner(held, OpenIndex(), options?.Invoke(set) ?? set, Events.Add).RunAsync(spec, Snapshots, Fingerprints, cancellation);
    }

    /// <summary>For a program in a process of its own, which runs in this assembly's initializer.</summary>
    /// <remarks>Until that has ended no other thread may enter this assembly: hence no async method and no lambda of ours.</remarks>
    public void RunBeforeMain(Spec spec, Isolation isolation)
    {
        using var held = RunLock.TakeAsync(Folder, Events.Clear, CancellationToken.None).GetAwaiter().GetResult();
        var options = new RunOptions { RunId = RunRecord.NewId(DateTimeOffset.UnixEpoch, 0), SqlProgram = [], Isolation = isolation };
        new Runner(held, OpenIndex(), options, Events.Add).RunAsync(spec, Snapshots, Fingerprints, CancellationToken.None).GetAwaiter().GetResult();
    }

    public async Task<IReadOnlyList<Fault>> Faults(Spec spec, ExitCode exit = ExitCode.UnusableInput, Func<RunOptions, RunOptions>? options = null)
    {
        var e = await Assert.ThrowsAsync<SlipwayException>(() => Run(spec, options));
        Assert.Equal(exit, e.Exit);
        return e.Faults;
    }

    public StatusReport Status(Spec spec) =>
        Slipway.Pipeline.Execution.Status.Of(spec, Folder, OpenIndex(), Snapshots.ToDictionary(snapshot => snapshot.Key, snapshot => snapshot.Value.Digest), Fingerprints);

    private static StageInput Input(string text)
    {
        var kind = text.StartsWith('@') ? InputKind.Dataset : text.Contains('/') || text.EndsWith(".txt") || text.Contains('*') ? InputKind.Path : InputKind.Output;
        return new StageInput(kind, text.TrimStart('@')) { At = new Place("slipway.yaml", 11, 5) };
    }
}

internal static class RunOutcomes
{
    /// <summary>The names of the stages that were executed, in order.</summary>
    public static string Executed(this RunOutcome outcome) => string.Join(' ', outcome.Stages.Where(stage => stage.Source == StageSource.Executed).Select(stage => stage.Name));
}
