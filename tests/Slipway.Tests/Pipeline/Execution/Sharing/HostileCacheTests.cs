using System.Text;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Sharing;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Store.Content;
using Slipway.Store.Oci;
using Slipway.Tests.Store.Registries;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Pipeline.Execution.Sharing;

/// <summary>Whatever is wrong with what is shared, the stage runs, a remark says why, and nothing false is known afterwards.</summary>
public sealed class HostileCacheTests : IDisposable
{
    private readonly Machines machines = new();

    public void Dispose() => machines.Dispose();

    [Fact]
    public async Task An_entry_of_a_stranger_does_not_count()
    {
        await machines.FillAsync(signer: machines.Stranger);
        await RunsAsync("signer-unknown", "features:executed fit:executed");
    }

    [Fact]
    public async Task An_entry_of_a_key_that_is_trusted_for_other_things_does_not_count()
    {
        await machines.FillAsync();
        var people = machines.TrustsBuilder with { Required = [new RequiredStatement(TrustPolicy.Provenance, ["somebody-else"])] };
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(from: machines.Cache(trusted: people))).Sources());
        Assert.Contains("(signer-role)", machines.Remarks(machines.B)[0]);
    }

    [Fact]
    public async Task An_entry_of_a_revoked_key_does_not_count()
    {
        await machines.FillAsync();
        var revoked = machines.TrustsBuilder with { Revoked = [new Revocation(Digest.Parse("sha256:" + machines.Builder.PublicKey.KeyId), DateTimeOffset.UnixEpoch, "lost")] };
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(from: machines.Cache(machines.Builder, revoked))).Sources());
        Assert.Contains("(signer-revoked)", machines.Remarks(machines.B)[0]);
    }

    [Fact]
    public async Task A_sound_entry_under_another_steps_name_does_not_count()
    {
        var made = await machines.FillAsync();
        File.Copy(machines.PathOf(made.Stages[0]), machines.PathOf(made.Stages[1]), overwrite: true);
        await RunsAsync("cache-entry-other", "features:shared fit:executed");
    }

    [Theory]
    [InlineData("output more", "cache-entry-malformed")]
    [InlineData("output fewer", "cache-entry-malformed")]
    [InlineData("empty output", "cache-entry-malformed")]
    [InlineData("dataset", "cache-entry-malformed")]
    [InlineData("file for folder", "cache-entry-malformed")]
    [InlineData("other size", "cache-content")]
    [InlineData("path outside", "cache-content")]
    [InlineData("object more", "cache-content")]
    [InlineData("object fewer", "cache-content")]
    [InlineData("other payload type", "signature-type")]
    [InlineData("no record", "cache-entry-malformed")]
    public async Task What_a_trusted_key_signed_by_mistake_does_not_count(string mistake, string code)
    {
        var made = await machines.FillAsync();
        var (fit, record) = (made.Stages[1], new StepStore(machines.A.Folder).Find(made.Stages[1].Key)!);
        var entry = StepEntry.Parse(File.ReadAllBytes(machines.PathOf(fit)));
        var (model, objects) = (record.Outputs["model"], entry.Objects);
        switch (mistake)
        {
            case "output more":
                record = record with { Outputs = record.Outputs.Add("more", model) };
                break;
            case "output fewer":
                record = record with { Outputs = record.Outputs.Clear() };
                break;
            case "empty output":
                record = record with { Outputs = record.Outputs.SetItem("model", model with { Size = 0 }) };
                break;
            case "dataset":
                record = record with { Outputs = record.Outputs.SetItem("model", model with { Kind = ArtifactKind.Dataset }) };
                break;
            case "file for folder":
                record = record with { Outputs = record.Outputs.SetItem("model", model with { Kind = ArtifactKind.File }) };
                break;
            case "other size":
                record = record with { Outputs = record.Outputs.SetItem("model", model with { Size = model.Size + 1 }) };
                break;
            case "path outside":
                var tree = FileTree.Of([.. machines.A.Objects.ReadTree(model.Digest).Files.Select(file => file with { Path = "../" + file.Path })]).ToJson();
                var blob = OciLayout.Open(machines.Folder).AddBlob(tree);
                record = record with { Outputs = record.Outputs.SetItem("model", model with { Digest = blob.Digest }) };
                objects = objects.Remove(model.Digest).Add(blob.Digest, blob.As(StepEntry.ObjectType));
                break;
            case "object more":
                objects = objects.Add(made.Stages[0].Outputs["table"].Digest is var digest && objects.ContainsKey(digest) ? Digest.Of("x"u8) : digest, new OciDescriptor(StepEntry.ObjectType, Digest.Of("x"u8), 1));
                break;
            case "object fewer":
                objects = objects.Remove(objects.Keys.First(each => each != model.Digest));
                break;
        }

        var payload = mistake == "no record" ? "{}"u8.ToArray() : CanonicalJson.Serialize(record, StepJson.Default.StepRecord);
        Sign(fit, payload, objects, mistake == "other payload type" ? "application/vnd.in-toto+json" : StepEntry.Type);
        await RunsAsync(code, "features:shared fit:executed");
        Assert.False(File.Exists(machines.B.PathOf("build/deep/w")));
        // The same way without the mistake is taken: it is the mistake that was found.
        Sign(fit, CanonicalJson.Serialize(new StepStore(machines.A.Folder).Find(fit.Key)!, StepJson.Default.StepRecord), entry.Objects, StepEntry.Type);
        Directory.Delete(machines.B.Folder.Steps, recursive: true);
        Assert.Equal("features:shared fit:shared", (await machines.TakeAsync()).Sources());
    }

    [Fact]
    public async Task Outputs_that_were_made_under_less_do_not_count_where_more_is_asked_for()
    {
        await machines.FillAsync(isolation: Isolation.None);
        await RunsAsync("cache-isolation", "features:executed fit:executed");
        Directory.Delete(machines.B.Folder.Steps, recursive: true);
        Assert.Equal("features:shared fit:shared", (await machines.TakeAsync(more: TestProject.Open)).Sources());
    }

    [Fact]
    public async Task What_was_made_under_more_takes_the_place_of_what_was_made_under_less()
    {
        await machines.FillAsync(isolation: Isolation.None);
        await machines.TakeAsync(from: machines.Cache(machines.Builder));
        Directory.Delete(machines.B.Folder.State, recursive: true);
        Directory.Delete(machines.B.PathOf("build"), recursive: true);
        Assert.Equal("features:shared fit:shared", (await machines.TakeAsync()).Sources());
    }

    [Theory]
    [InlineData("changed", "cache-content")]
    [InlineData("cut", "cache-content")]
    [InlineData("longer", "cache-content")]
    [InlineData("missing", "blob-missing")]
    public async Task A_spoilt_object_does_not_count_and_the_next_who_shares_mends_it(string how, string code)
    {
        var made = await machines.FillAsync();
        var path = Path.Combine(machines.Blobs, machines.A.Objects.ReadTree(made.Stages[1].Outputs["model"].Digest).Files[1].Digest.Hex);
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        if (how != "missing")
            File.WriteAllBytes(path, how switch { "changed" => [.. bytes[..^1], (byte)'x'], "cut" => bytes[..^1], _ => [.. bytes, 1] });
        var steps = Path.Combine(machines.B.Folder.Steps, made.Stages[1].Key.Hex + ".json");
        Assert.Equal("features:shared fit:executed", (await machines.TakeAsync(from: machines.Cache(machines.Builder))).Sources());
        Assert.Contains($"({code})", Assert.Single(machines.Remarks(machines.B)));
        Assert.True(File.Exists(steps));
        Directory.Delete(machines.B.Folder.State, recursive: true);
        Directory.Delete(machines.B.PathOf("build"), recursive: true);
        Assert.Equal("features:shared fit:shared", (await machines.TakeAsync()).Sources());
    }

    [Theory]
    [InlineData("", "cache-entry-malformed")]
    [InlineData("{}", "cache-entry-malformed")]
    [InlineData("large", "cache-entry-large")]
    [InlineData("bundle", "cache-entry-malformed")]
    [InlineData("large record", "cache-entry-malformed")]
    [InlineData("nothing signed", "signature-malformed")]
    public async Task A_manifest_that_is_none_does_not_count(string what, string code)
    {
        var made = await machines.FillAsync();
        var manifest = machines.Manifest(made.Stages[0]);
        var none = OciLayout.Open(machines.Folder).AddBlob("{}"u8);
        File.WriteAllBytes(machines.PathOf(made.Stages[0]), what switch
        {
            "large" => new byte[OciManifest.MaxBytes + 1],
            "bundle" => (manifest with { ArtifactType = "application/vnd.cncf.model.manifest.v1+json" }).ToBytes(),
            "large record" => (manifest with { Layers = [manifest.Layers[0] with { Size = StepEntry.MaxRecordBytes + 1 }, .. manifest.Layers[1..]] }).ToBytes(),
            "nothing signed" => (manifest with { Layers = [none.As(SignedDocument.MediaType), .. manifest.Layers[1..]] }).ToBytes(),
            _ => Encoding.UTF8.GetBytes(what),
        });
        await RunsAsync(code, "features:executed fit:shared");
    }

    [Fact]
    public async Task A_registry_that_sends_something_else_is_found_out()
    {
        await using var registry = await SpecRegistry.StartAsync();
        using (var cache = SharedCache.OfRegistry(registry.Client("team/cache"), new SharedCacheOptions { Trusted = machines.TrustsBuilder, Signer = machines.Builder }))
            await machines.A.Run(Machines.Spec, options => options with { Shared = cache });
        registry.Spoil = (_, bytes) => bytes.Length < 100 ? [.. bytes[..^1], (byte)'x'] : bytes;
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(from: SharedCache.OfRegistry(registry.Client("team/cache"), new SharedCacheOptions { Trusted = machines.TrustsBuilder }))).Sources());
        Assert.All(machines.Remarks(machines.B), remark => Assert.Contains("(cache-content)", remark));
        Assert.Equal("ABC\n", machines.B.Read("build/model/deep/w"));
    }

    [Fact]
    public async Task A_registry_that_is_down_is_asked_once()
    {
        await using var registry = await SpecRegistry.StartAsync();
        registry.Intercept = http =>
        {
            http.Response.StatusCode = 503;
            return Task.FromResult(true);
        };
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(from: SharedCache.OfRegistry(registry.Client("team/cache"), new SharedCacheOptions { Trusted = machines.TrustsBuilder, Signer = machines.Builder }))).Sources());
        Assert.Contains("is not used any more in this run", Assert.Single(machines.Remarks(machines.B)));
        Assert.Single(registry.Calls.Select(call => call.Target).Distinct());
    }

    [Fact]
    public async Task A_registry_that_says_nothing_costs_one_wait()
    {
        await using var registry = await SpecRegistry.StartAsync();
        registry.Intercept = async http =>
        {
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
            return true;
        };
        var options = new SharedCacheOptions { Trusted = machines.TrustsBuilder, Signer = machines.Builder, Patience = TimeSpan.FromSeconds(3) };
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(from: SharedCache.OfRegistry(registry.Client("team/cache"), options))).Sources());
        Assert.Contains("(cache-silent)", Assert.Single(machines.Remarks(machines.B)));
        Assert.Single(registry.Calls);
    }

    [Fact]
    public async Task A_folder_that_may_not_be_written_is_read_all_the_same()
    {
        Assert.SkipWhen(Environment.UserName == "root", "root may write everywhere");
        await machines.FillAsync(Machines.Spec with { Stages = [Machines.Spec.Stages[0]] });
        foreach (var folder in Directory.EnumerateDirectories(machines.Folder, "*", SearchOption.AllDirectories).Append(machines.Folder))
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal("features:shared fit:executed", (await machines.TakeAsync(from: machines.Cache(machines.Builder))).Sources());
        Assert.Contains("is not used any more in this run", Assert.Single(machines.Remarks(machines.B)));
    }

    [Fact]
    public async Task Where_nothing_can_be_written_costs_one_remark()
    {
        using var cache = SharedCache.OfFolder("/proc/slipway-cache", new SharedCacheOptions { Trusted = machines.TrustsBuilder, Signer = machines.Builder });
        Assert.Equal("features:executed fit:executed", (await machines.A.Run(Machines.Spec, options => options with { Shared = cache })).Sources());
        Assert.Contains("is not used any more in this run", Assert.Single(machines.Remarks(machines.A)));
    }

    [Fact]
    public async Task Something_that_is_no_folder_costs_a_remark()
    {
        File.WriteAllText(machines.Folder, "a file");
        Assert.Equal("features:executed fit:executed", (await machines.TakeAsync(from: machines.Cache(machines.Builder))).Sources());
        Assert.NotEmpty(machines.Remarks(machines.B));
    }

    private async Task RunsAsync(string code, string sources)
    {
        Assert.Equal(sources, (await machines.TakeAsync()).Sources());
        Assert.All(machines.Remarks(machines.B), remark => Assert.Contains($"({code})", remark));
        Assert.NotEmpty(machines.Remarks(machines.B));
        Assert.Equal("ABC\n", machines.B.Read("build/model/deep/w"));
    }

    private void Sign(StageResult stage, byte[] payload, System.Collections.Immutable.ImmutableDictionary<Digest, OciDescriptor> objects, string type)
    {
        var signed = OciLayout.Open(machines.Folder).AddBlob(SignedDocument.Sign(type, payload, machines.Builder));
        File.WriteAllBytes(machines.PathOf(stage), new StepEntry(signed.As(SignedDocument.MediaType), objects).ToManifest());
    }
}
