using System.Collections.Immutable;
using Slipway.Documents.Hardware;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Pipeline.Execution.Sharing;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Hardware;
using Slipway.Tests.Store.Registries;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Pipeline.Execution.Sharing;

public sealed class SharingTests : IDisposable
{
    private readonly Machines machines = new();

    public void Dispose() => machines.Dispose();

    [Fact]
    public async Task What_one_machine_made_another_takes()
    {
        var made = await machines.FillAsync();
        Assert.Equal("features:executed fit:executed", made.Sources());
        Assert.Equal(["features", "fit"], machines.A.Events.OfType<StageSent>().Select(sent => sent.Stage).Order());
        var taken = await machines.TakeAsync();
        Assert.Equal("features:shared fit:shared", taken.Sources());
        Assert.Empty(machines.Remarks(machines.B));
        Assert.Equal(made.Stages.Select(stage => stage.Key), taken.Stages.Select(stage => stage.Key));
        Assert.Equal(made.Stages.SelectMany(stage => stage.Outputs), taken.Stages.SelectMany(stage => stage.Outputs));
        Assert.Equal(("ABC\n", "ABC\n"), (machines.B.Read("build/f.txt"), machines.B.Read("build/model/deep/w")));
        Assert.True(File.GetUnixFileMode(machines.B.PathOf("build/model/go")).HasFlag(UnixFileMode.UserExecute));
        Assert.Equal(new SharedOrigin(machines.Folder, machines.Builder.PublicKey.KeyId, machines.Builder.PublicKey.KeyId[..12]), taken.Stages[0].Shared);
        Assert.Equal(Isolation.Sandbox, taken.Stages[0].Isolation);
    }

    [Fact]
    public async Task What_was_taken_is_known_from_then_on()
    {
        await machines.FillAsync();
        await machines.TakeAsync();
        Directory.Delete(machines.Folder, recursive: true);
        Assert.Equal("features:cached fit:cached", (await machines.B.Run(Machines.Spec)).Sources());
    }

    [Fact]
    public async Task What_is_known_here_is_not_asked_for()
    {
        await machines.B.Run(Machines.Spec);
        Assert.Equal("features:cached fit:cached", (await machines.TakeAsync()).Sources());
        Assert.Empty(machines.Remarks(machines.B));
    }

    [Fact]
    public async Task Who_has_no_key_to_sign_by_writes_nothing()
    {
        using var cache = machines.Cache();
        Assert.Equal("features:executed fit:executed", (await machines.A.Run(Machines.Spec, options => options with { Shared = cache })).Sources());
        Assert.False(Directory.Exists(machines.Folder));
        Assert.Contains("(cache-missing)", Assert.Single(machines.Remarks(machines.A)));
    }

    [Fact]
    public async Task Only_a_part_that_changed_is_executed()
    {
        await machines.FillAsync();
        machines.B.Write("code/fit.sh", machines.B.Read("code/fit.sh") + "# changed\n");
        Assert.Equal("features:shared fit:executed", (await machines.TakeAsync()).Sources());
    }

    [Fact]
    public async Task Force_executes_and_an_entry_that_counts_is_left_as_it_is()
    {
        var made = await machines.FillAsync();
        var before = File.ReadAllBytes(machines.PathOf(made.Stages[0]));
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(from: machines.Cache(machines.Builder), more: options => options with { Force = true })).Sources());
        Assert.Equal(before, File.ReadAllBytes(machines.PathOf(made.Stages[0])));
        Assert.Empty(machines.B.Events.OfType<StageSent>());
    }

    [Fact]
    public async Task A_stage_with_secrets_and_one_that_always_runs_are_not_shared()
    {
        var always = Machines.Spec with { Stages = [Machines.Spec.Stages[0] with { When = StageWhen.Always }, Machines.Spec.Stages[1] with { Secrets = ["TOKEN"] }] };
        var secrets = new SecretSource { Environment = ImmutableDictionary<string, string>.Empty.Add("TOKEN", "a secret of twenty two") };
        using (var cache = machines.Cache(machines.Builder))
            await machines.A.Run(always, options => options with { Shared = cache, Secrets = secrets });
        Assert.False(Directory.Exists(machines.Folder));
        Directory.Delete(machines.A.Folder.State, recursive: true);
        Directory.Delete(machines.A.PathOf("build"), recursive: true);
        await machines.FillAsync();     // the first stage's key is the same whenever it runs
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(always, more: options => options with { Secrets = secrets })).Sources());
        Assert.False(SharedCache.Takes(Machines.Spec.Stages[0] with { Network = StageNetwork.Host }));
        Assert.True(SharedCache.Takes(Machines.Spec.Stages[0] with { Network = StageNetwork.Pinned }));
    }

    [Fact]
    public async Task What_needs_an_accelerator_is_taken_where_there_is_none()
    {
        var profile = new HardwareProfile(null, null, null, null, [], new AcceleratorProfile("nvidia", 1, null, null, null), null, null, null, null);
        var spec = Machines.Spec with { Hardware = Machines.Spec.Hardware.Add("gpu", profile), Stages = [Machines.Spec.Stages[0], Machines.Spec.Stages[1] with { Hardware = "gpu" }] };
        using (var cache = machines.Cache(machines.Builder))
            await machines.A.Run(spec, options => options with { Shared = cache });
        var none = HostCapacity.Unbounded with { Accelerators = ImmutableSortedDictionary<string, int>.Empty };
        Assert.Equal("features:shared fit:shared", (await machines.TakeAsync(spec, more: options => options with { Host = none })).Sources());
        machines.B.Write("code/fit.sh", "mkdir -p build/model; echo other > build/model/w\n");
        using var again = machines.Cache();
        Assert.Equal("missing-accelerator", Assert.Single(await machines.B.Faults(spec, ExitCode.NotThere, options => options with { Shared = again, Host = none })).Code);
    }

    [Fact]
    public async Task Ones_own_entries_count_without_a_policy_that_says_so()
    {
        await machines.FillAsync();
        Assert.Equal("features:shared fit:shared", (await machines.TakeAsync(from: machines.Cache(machines.Builder, TrustPolicy.Of(KeyRing.Of())))).Sources());
    }

    [Fact]
    public async Task Without_any_trusted_key_nothing_counts_and_that_is_told_once()
    {
        await machines.FillAsync();
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(from: machines.Cache(trusted: TrustPolicy.Of(KeyRing.Of())))).Sources());
        Assert.Contains("(no-trusted-key)", Assert.Single(machines.Remarks(machines.B)));
    }

    [Fact]
    public async Task Two_runs_that_share_the_same_at_once_leave_sound_entries()
    {
        await Task.WhenAll(machines.FillAsync(), machines.TakeAsync(from: machines.Cache(machines.Builder)));
        using var third = new TestProject();
        third.Write("raw.txt", "abc\n");
        third.Write("code/fit.sh", machines.A.Read("code/fit.sh"));
        using var cache = machines.Cache();
        Assert.Equal("features:shared fit:shared", (await third.Run(Machines.Spec, options => options with { Shared = cache })).Sources());
    }

    [Fact]
    public async Task A_registry_serves_as_well()
    {
        await using var registry = await SpecRegistry.StartAsync();
        using (var cache = SharedCache.OfRegistry(registry.Client("team/cache"), new SharedCacheOptions { Trusted = machines.TrustsBuilder, Signer = machines.Builder }))
            await machines.A.Run(Machines.Spec, options => options with { Shared = cache });
        Assert.All(registry["team/cache"].Tags.Keys, tag => Assert.StartsWith("step-", tag));
        Assert.Equal("features:shared fit:shared", (await machines.TakeAsync(from: SharedCache.OfRegistry(registry.Client("team/cache"), new SharedCacheOptions { Trusted = machines.TrustsBuilder }))).Sources());
        Assert.Equal("ABC\n", machines.B.Read("build/model/deep/w"));
        Assert.Empty(machines.Remarks(machines.B));
    }

    /// <summary>Each effect is followed by a photograph of the project: what a kill at that instant would have left.</summary>
    [Fact]
    public async Task Killed_while_it_takes_or_sends_the_next_run_ends_well()
    {
        await machines.FillAsync();
        var photographs = new List<TestProject>();
        await machines.TakeAsync(more: options => options with
        {
            Effect = _ =>
            {
                var copy = new TestProject();
                foreach (var file in Directory.EnumerateFiles(machines.B.Root, "*", SearchOption.AllDirectories).Where(file => file != machines.B.Folder.RunLock))
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(copy.PathOf(Path.GetRelativePath(machines.B.Root, file)))!);
                    File.Copy(file, copy.PathOf(Path.GetRelativePath(machines.B.Root, file)));
                }

                photographs.Add(copy);
            },
        });
        Assert.True(photographs.Count > 6);
        foreach (var photograph in photographs)
        {
            using var cache = machines.Cache();
            Assert.Equal("", (await photograph.Run(Machines.Spec, options => options with { Shared = cache })).Executed());
            Assert.Equal("ABC\n", photograph.Read("build/model/deep/w"));
            photograph.Dispose();
        }
    }

    [Fact]
    public async Task An_entry_whose_sending_was_cut_is_no_entry()
    {
        var made = await machines.FillAsync();
        // Blobs come first and the manifest last: killed in between, there is no manifest; a half of a blob never has a blob's name.
        File.Delete(machines.PathOf(made.Stages[1]));
        File.WriteAllText(Path.Combine(machines.Blobs, ".tmp-slipway-2147483647-1f-1"), "half");
        Assert.Equal("features:shared fit:executed", (await machines.TakeAsync(from: machines.Cache(machines.Builder))).Sources());
        Assert.Empty(machines.Remarks(machines.B));
        Assert.True(File.Exists(machines.PathOf(made.Stages[1])));
    }
}
