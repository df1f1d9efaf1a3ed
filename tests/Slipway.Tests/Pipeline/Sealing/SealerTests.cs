using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Slipway.Documents.Bundles;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Store.Oci;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Sealing;

public sealed partial class SealerTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    private OciLayout Layout => OciLayout.Create(folder["bundles"]);

    private SealedBundle Seal(SealRequest request) => Sealer.Seal(request, Layout, TestContext.Current.CancellationToken);

    [Theory]
    [InlineData(false, "application/vnd.cncf.model.weight.v1.raw", "model/model.onnx")]
    [InlineData(true, "application/vnd.cncf.model.weight.v1.tar", "model")]
    public void A_bundle_is_a_modelpack_manifest(bool isFolder, string weightType, string weightPath)
    {
        var bundle = Seal(SampleRun.In(folder["src"], isFolder));

        Assert.Equal("flight-delay", bundle.Tag);
        Assert.True(Layout.TryResolve("flight-delay", out var found) && found == bundle.Digest);
        var bytes = Layout.ReadBlob(bundle.Digest, OciManifest.MaxBytes).Bytes;
        Assert.True(CanonicalJson.IsCanonical(bytes));
        var manifest = OciManifest.Parse(bytes);
        Assert.Equal("application/vnd.cncf.model.manifest.v1+json", manifest.ArtifactType);
        Assert.Equal("application/vnd.cncf.model.config.v1+json", manifest.Config.MediaType);
        Assert.Equal([weightType, "application/vnd.cncf.model.code.v1.tar", "application/vnd.cncf.model.doc.v1.tar"], manifest.Layers.Select(layer => layer.MediaType));
        Assert.Equal([weightPath, "code", "slipway"], manifest.Layers.Select(layer => layer.Annotation("org.cncf.model.filepath")));
        Assert.Equal(bytes.Length + manifest.Blobs.Sum(blob => blob.Size), bundle.Size);
        Assert.Null(manifest.Annotations);

        var config = Encoding.UTF8.GetString(Layout.ReadBlob(manifest.Config.Digest, OciManifest.MaxBytes).Bytes);
        Assert.Equal(
            $$$"""{"config":{{{(isFolder ? "{}" : """{"format":"onnx"}""")}}},"descriptor":{"licenses":["Apache-2.0"],"name":"flight-delay"},"modelfs":{"diffIds":[{{{string.Join(',', manifest.Layers.Select(layer => $"\"{layer.Digest}\""))}}}],"type":"layers"}}""",
            config);
        Assert.Empty(Layout.UnreferencedBlobs());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_sealed_is_read_back_and_unpacked(bool isFolder)
    {
        using var sample = new SealedSample(folder.Root);
        var request = SampleRun.In(folder["src"], isFolder);
        var bundle = sample.SealAndVerify(request);
        var documents = BundleDocuments.Read(bundle, TestContext.Current.CancellationToken).Require();

        Assert.Equal(Sealer.Documents(request).ToFiles().Select(Text), documents.ToFiles().Select(Text));
        Assert.Equal(11, documents.ToFiles().Count);
        Assert.Null(documents.Spec.Description);
        bundle.Unpack(folder["out"], TestContext.Current.CancellationToken);
        Assert.Equal("train()", File.ReadAllText(folder["out/code/pipeline/train.py"]));
        Assert.True(File.GetUnixFileMode(folder["out/code/pipeline/train.py"]).HasFlag(UnixFileMode.UserExecute));
        Assert.Equal(isFolder ? "model" : "model/model.onnx", BundlePaths.ModelOf(bundle));
        Assert.Equal(isFolder ? "names" : "onnx model", File.ReadAllText(folder[isFolder ? "out/model/nested/names ä.txt" : "out/model/model.onnx"]));

        static (string, string) Text(KeyValuePair<string, byte[]> file) => (file.Key, Encoding.UTF8.GetString(file.Value));
    }

    [Fact]
    public void Sealing_again_finds_everything_there()
    {
        var first = Seal(SampleRun.In(folder["a"], isFolder: true));
        var files = Directory.GetFiles(folder["bundles"], "*", SearchOption.AllDirectories).Order().ToArray();
        var request = SampleRun.In(folder["b"], isFolder: true);
        var again = Seal(request with { Model = [.. request.Model.Reverse()], Code = [.. request.Code.Reverse()] });
        Assert.Equal(first, again);
        Assert.Equal(files, Directory.GetFiles(folder["bundles"], "*", SearchOption.AllDirectories).Order());
        Assert.Single(Layout.ReadIndex().Manifests);
    }

    public static TheoryData<string> Changes => ["model", "code", "executable", "spec", "lock", "lineage", "evaluation", "rerun", "curves", "epoch", "snapshot"];

    [Theory, MemberData(nameof(Changes))]
    public void Anything_that_is_content_changes_the_digest(string what)
    {
        var request = SampleRun.In(folder["a"]);
        var stages = request.Lineage.Stages;
        var changed = what switch
        {
            "model" => WithModel(request, "another model"),
            "code" => request with { Code = [request.Code[0] with { Path = "serve/other.py" }, request.Code[1]] },
            "executable" => request with { Code = [request.Code[0] with { Executable = true }, request.Code[1]] },
            "spec" => request with { Spec = request.Spec with { License = "MIT" } },
            "lock" => request with { Lock = request.Lock with { Baseline = SampleRun.Of("baseline") } },
            "lineage" => SampleRun.Keyed(request with { Lineage = new([stages[0] with { Inputs = stages[0].Inputs.SetItem("pipeline/train.py", SampleRun.Of("x")) }, stages[1]]) }),
            "evaluation" => request with { Evaluation = request.Evaluation! with { UnitsDigest = SampleRun.Of("x") } },
            "rerun" => request with { Lineage = new([.. stages.Zip(Later(request), (stage, step) => stage with { StepKey = step.Key() })]), Rerun = new(Later(request)) },
            "curves" => request with { Evaluation = request.Evaluation! with { Rows = 11 }, Curves = request.Curves! with { Rows = 11, Roc = [request.Curves.Roc[0], new RocPoint(11, 1, 1)] } },
            "epoch" => SampleRun.Keyed(request with { Spec = request.Spec with { Determinism = request.Spec.Determinism with { Epoch = 1 } } }),
            "snapshot" => request with { Snapshots = [request.Snapshots[0] with { Columns = [] }] },
            _ => throw new UnreachableException(),
        };
        Assert.NotEqual(Seal(request).Digest, Seal(changed).Digest);

        static ImmutableArray<StepKeyDocument> Later(SealRequest request) => [.. request.Rerun.Stages.Select(step => step with { Version = StepKeyDocument.CurrentVersion + 1 })];
    }

    [Fact]
    public void Description_owners_release_and_source_folders_are_outside_the_digest()
    {
        var request = SampleRun.In(folder["a"]);
        var other = SampleRun.In(folder["elsewhere/b"]);
        Assert.Equal(
            Seal(request).Digest,
            Seal(other with { Spec = other.Spec with { Description = "New words", Owners = ["someone@example.org"], Release = ReleasePlan.Default } }).Digest);
    }

    [Theory]
    [InlineData("build/model.onnx", "onnx MODEL", "seal-source-changed")]
    [InlineData("build/model.onnx", "onnx model and more", "seal-source-changed")]
    [InlineData("build/model.onnx", null, "seal-source-changed")]
    [InlineData("pipeline/train.py", "TRAIN()", "archive-source-changed")]
    [InlineData("pipeline/train.py", null, "archive-source")]
    public void A_file_that_is_no_longer_what_its_digest_says_is_not_sealed(string file, string? content, string code)
    {
        var request = SampleRun.In(folder["a"]);
        if (content is null)
            File.Delete(folder["a/" + file]);
        else
            File.WriteAllText(folder["a/" + file], content);
        var e = Assert.Throws<SlipwayException>(() => Seal(request));
        Assert.Equal((ExitCode.UnusableInput, code), (e.Exit, e.Faults.Single().Code));
        Assert.Empty(Layout.ReadIndex().Manifests);

        var mended = Seal(SampleRun.In(folder["a"]));
        Assert.Equal([mended.Digest], Layout.ReadIndex().Manifests.Select(entry => entry.Digest));
        Assert.Empty(Layout.UnreferencedBlobs());
    }

    [Fact]
    public void A_model_that_its_stage_did_not_make_is_not_sealed()
    {
        var request = SampleRun.In(folder["a"]);
        var other = request with { Model = WithModel(request, "another").Model };
        Assert.Equal("model-contradicts-lineage", Assert.Throws<SlipwayException>(() => Seal(other)).Faults.Single().Code);
        Assert.Equal("model-empty", Assert.Throws<SlipwayException>(() => Seal(request with { Model = [] })).Faults.Single().Code);
        Assert.Equal("model-unspecified", Assert.Throws<SlipwayException>(() => Seal(request with { Spec = request.Spec with { Model = null } })).Faults.Single().Code);
        var folders = SampleRun.In(folder["f"], isFolder: true);
        Assert.Equal("model-contradicts-lineage", Assert.Throws<SlipwayException>(() => Seal(folders with { Model = [.. folders.Model.Select(file => file with { Executable = false })] })).Faults.Single().Code);
    }

    [Fact]
    public void Documents_that_contradict_each_other_are_a_bug_of_ours_and_are_not_sealed()
    {
        var request = SampleRun.In(folder["a"]);
        Assert.Throws<UnreachableException>(() => Seal(request with { Evaluation = request.Evaluation! with { Seed = 7 } }));
    }

    [Fact]
    public void A_model_without_code_has_no_code_layer()
    {
        var request = SampleRun.In(folder["a"]) with { Code = [] };
        var manifest = OciManifest.Parse(Layout.ReadBlob(Seal(request).Digest, OciManifest.MaxBytes).Bytes);
        Assert.Equal(2, manifest.Layers.Length);
    }

    [Fact]
    public async Task Folder_time_umask_time_zone_locale_and_commit_leave_no_trace()
    {
        var expected = Seal(SampleRun.In(folder["here"], isFolder: true)).Digest.ToString();
        (string Umask, string Zone, string Locale, int Year)[] places = [("0", "UTC", "C", 2001), ("63", "Asia/Kathmandu", "tr_TR.UTF-8", 2030), ("18", "America/St_Johns", "de_DE.UTF-8", 1999)];
        foreach (var place in places)
            Assert.Equal(expected, await SealElsewhere(place.Umask, place.Zone, place.Locale, place.Year, []));
    }

    [Fact]
    public async Task Another_user_gets_the_same_digest()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can become another user");
        string[] nobody = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
        Directory.CreateDirectory(folder["nobody"]);
        var probe = await ChildProcess.RunAsync(new ChildCommand([.. nobody, "/usr/bin/test", "-r", typeof(SealerTests).Assembly.Location], "/", new Dictionary<string, string>()), TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        Assert.SkipUnless(probe.Succeeded, "another user cannot read this build");

        var expected = Seal(SampleRun.In(folder["here"], isFolder: true)).Digest.ToString();
        Assert.Equal(expected, await SealElsewhere("0", "UTC", "C", 2020, nobody));
    }

    [Fact]
    public async Task Every_blob_is_durable_before_the_index_names_the_manifest()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed");
        var trace = folder["trace"];
        await SealElsewhere("18", "UTC", "C", 2020, ["/usr/bin/strace", "-f", "-y", "-o", trace, "-e", "trace=fsync,rename"]);
        Assert.SkipUnless(File.Exists(trace) && new FileInfo(trace).Length > 0, "this host does not let strace trace");

        var calls = File.ReadLines(trace).Select(line => line[(line.IndexOf(' ') + 1)..].TrimStart()).Where(line => line.StartsWith("fsync") || line.StartsWith("rename")).ToList();
        var blobs = calls.Index().Where(call => call.Item.StartsWith("rename") && call.Item.Contains("/blobs/sha256/")).ToList();
        Assert.Equal(5, blobs.Count);       // model, code, documents, config, manifest
        foreach (var (at, call) in blobs)
        {
            var temporary = call[(call.IndexOf(".tmp-", StringComparison.Ordinal))..call.IndexOf("\",", StringComparison.Ordinal)];
            Assert.Contains(calls[..at], earlier => earlier.StartsWith("fsync") && earlier.Contains(temporary + ">"));
            Assert.Contains(calls[at..], later => later.StartsWith("fsync") && later.Contains("/blobs/sha256>"));
        }

        var index = calls.FindLastIndex(call => call.StartsWith("rename") && call.Contains("/index.json\""));
        Assert.True(index > calls.FindLastIndex(call => call.StartsWith("fsync") && call.Contains("/blobs/sha256>")));
    }

    /// <summary>Runs in a child: seals the sample in a folder of its own, with sources of another time, and tells the digest.</summary>
    internal static int SealProgram(string[] arguments)
    {
        _ = umask(uint.Parse(arguments[0]));
        var root = Directory.CreateTempSubdirectory("slipway-test-").FullName;
        try
        {
            Directory.SetCurrentDirectory(root);
            var request = SampleRun.In(root, isFolder: true);
            foreach (var file in Directory.GetFiles(root, "*", SearchOption.AllDirectories))
                File.SetLastWriteTimeUtc(file, new DateTime(int.Parse(arguments[1]), 7, 14, 3, 4, 5, DateTimeKind.Utc));
            using (var git = Process.Start("git", ["init", "--quiet", root]))
                git.WaitForExit();
            Console.WriteLine(Sealer.Seal(request, OciLayout.Create("bundles")).Digest);
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private async Task<string> SealElsewhere(string umask, string zone, string locale, int year, string[] prefix)
    {
        var output = folder[$"out-{year}"];
        var command = ChildProgram.Command("seal", [umask, year.ToString()], output, prefix: prefix);
        var variables = new Dictionary<string, string>(command.Environment) { ["TZ"] = zone, ["LANG"] = locale, ["LC_ALL"] = locale, ["USER"] = "u" + year, ["HOME"] = "/nonexistent/" + year };
        var exit = await ChildProcess.RunAsync(command with { Environment = variables }, TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        Assert.True(exit.Succeeded, File.ReadAllText(output));
        return File.ReadLines(output).Last();
    }

    private static SealRequest WithModel(SealRequest request, string content)
    {
        File.WriteAllText(request.Model[0].Source + "2", content);
        var digest = SampleRun.Of(content);
        var stages = request.Lineage.Stages;
        return SampleRun.Keyed(request with
        {
            Model = [request.Model[0] with { Source = request.Model[0].Source + "2", Digest = digest, Size = content.Length }],
            Lineage = new([stages[0] with { Outputs = SampleRun.Map(("model", digest)) }, stages[1] with { Inputs = SampleRun.Map(("fit.model", digest)) }]),
        });
    }

    [LibraryImport("libc")]
    private static partial uint umask(uint mask);
}
