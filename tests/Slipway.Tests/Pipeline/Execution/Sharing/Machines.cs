using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Sharing;
using Slipway.Store.Oci;
using Slipway.Tests.Store.Archives;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Pipeline.Execution.Sharing;

/// <summary>Two machines with the same project and nothing else in common: one that builds and signs, one that trusts its key; and a folder that both see.</summary>
internal sealed class Machines : IDisposable
{
    private readonly ScratchFolder scratch = new();

    public Machines()
    {
        foreach (var project in new[] { A, B })
        {
            project.Write("raw.txt", "abc\n");
            project.Write("code/fit.sh", "mkdir -p build/model/deep; cat build/f.txt > build/model/deep/w; echo '#!/bin/sh' > build/model/go; chmod +x build/model/go\n");
        }
    }

    public TestProject A { get; } = new();

    public TestProject B { get; } = new();

    public SigningKey Builder { get; } = SigningKey.Create();

    public SigningKey Stranger { get; } = SigningKey.Create();

    public string Folder => scratch["cache"];

    public string Blobs => Path.Combine(Folder, "blobs/sha256");

    public static Spec Spec { get; } = TestProject.Spec(
        TestProject.Stage("features", "tr a-z A-Z < raw.txt > build/f.txt", ["raw.txt"], "table=build/f.txt"),
        TestProject.Stage("fit", "sh code/fit.sh", ["features.table", "code/fit.sh"], "model=build/model/"));

    public TrustPolicy TrustsBuilder => TrustPolicy.Of(KeyRing.Of(Builder.PublicKey));

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        Builder.Dispose();
        Stranger.Dispose();
        if (Directory.Exists(Folder))
        {
            foreach (var folder in Directory.EnumerateDirectories(Folder, "*", SearchOption.AllDirectories).Append(Folder))
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        scratch.Dispose();
    }

    /// <summary>The folder as somebody uses it who signs; null for who only takes.</summary>
    public SharedCache Cache(SigningKey? signer = null, TrustPolicy? trusted = null) => SharedCache.OfFolder(Folder, new SharedCacheOptions { Trusted = trusted ?? TrustsBuilder, Signer = signer });

    /// <summary>What machine A does first: executes all, and shares it.</summary>
    public async Task<RunOutcome> FillAsync(Spec? spec = null, Isolation isolation = Isolation.Sandbox, SigningKey? signer = null)
    {
        using var cache = Cache(signer ?? Builder);
        return await A.Run(spec ?? Spec, options => options with { Shared = cache, Isolation = isolation });
    }

    /// <summary>What machine B does then.</summary>
    public async Task<RunOutcome> TakeAsync(Spec? spec = null, SharedCache? from = null, Func<RunOptions, RunOptions>? more = null)
    {
        using var cache = from ?? Cache();
        return await B.Run(spec ?? Spec, options => (more ?? (same => same))(options with { Shared = cache }));
    }

    public IReadOnlyList<string> Remarks(TestProject project) => [.. project.Events.OfType<StageRemark>().Where(remark => remark.Text.Contains("shared cache", StringComparison.Ordinal)).Select(remark => remark.Text)];

    public string PathOf(StageResult stage) => Path.Combine(Folder, "steps", stage.Key.Hex);

    public OciManifest Manifest(StageResult stage) => OciManifest.Parse(File.ReadAllBytes(PathOf(stage)));
}

internal static class SharedOutcomes
{
    /// <summary>Where each stage's outputs came from.</summary>
    public static string Sources(this RunOutcome outcome) => string.Join(' ', outcome.Stages.Select(stage => $"{stage.Name}:{stage.Source.Word()}"));
}
