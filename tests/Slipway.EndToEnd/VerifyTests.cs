using System.Diagnostics;
using System.Text.Json;

namespace Slipway.EndToEnd;

/// <summary>One sealed bundle, of which every test takes its own copy to spoil.</summary>
public sealed class SealedProject : IDisposable
{
    public SealedProject()
    {
        Project.MakeKey();
        var run = Project.Run("run", "--json");
        Assert.True(run.Code == 0, run.All);
        Digest = run.Json.GetProperty("bundle").GetProperty("digest").GetString()!;
    }

    public TinyProject Project { get; } = new();

    public string Digest { get; }

    public string Layout => Project.PathOf(".slipway/bundles");

    public void Dispose() => Project.Dispose();
}

public sealed class VerifyTests(SealedProject original) : IClassFixture<SealedProject>, IDisposable
{
    private readonly string copy = Copy(original);

    private string Reference => $"oci:{copy}:tiny";

    public void Dispose() => Directory.Delete(copy, recursive: true);

    [Fact]
    public void An_untouched_bundle_verifies()
    {
        var verify = original.Project.Run("verify", Reference);
        Assert.True(verify.Code == 0, verify.All);
        Assert.Contains(original.Digest, verify.Output);
    }

    [Fact]
    public void A_flipped_byte_in_any_blob_is_found_and_the_blob_named()
    {
        foreach (var blob in Directory.EnumerateFiles(Path.Combine(copy, "blobs/sha256")))
        {
            var good = File.ReadAllBytes(blob);
            var bad = (byte[])good.Clone();
            bad[bad.Length / 2] ^= 1;
            File.SetUnixFileMode(blob, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.WriteAllBytes(blob, bad);
            var verify = original.Project.Run("verify", Reference);
            Assert.True(verify.Code == 1, $"{Path.GetFileName(blob)}: {verify.All}");
            Assert.True(verify.All.Contains(Path.GetFileName(blob)[..12]), $"{Path.GetFileName(blob)} is not named: {verify.All}");
            File.WriteAllBytes(blob, good);
        }

        Assert.Equal(0, original.Project.Run("verify", Reference).Code);
    }

    [Fact]
    public void A_missing_blob_is_found()
    {
        foreach (var layer in Manifest().GetProperty("layers").EnumerateArray())
        {
            var path = Blob(layer.GetProperty("digest").GetString()!);
            var good = File.ReadAllBytes(path);
            File.Delete(path);
            var verify = original.Project.Run("verify", Reference);
            Assert.True(verify.Code == 1, verify.All);
            Assert.Contains(Path.GetFileName(path)[..12], verify.All);
            File.WriteAllBytes(path, good);
        }
    }

    [Fact]
    public void Another_key_is_not_enough()
    {
        using var stranger = new TinyProject();
        stranger.MakeKey();
        var verify = stranger.Run("verify", Reference);
        Assert.True(verify.Code == 1, verify.All);
        Assert.Contains("not trusted", verify.All);

        // By the id that `keys show` tells, so that people can find whose key it is; once, however many statements it signed.
        var signer = original.Project.Run("keys", "show").Output.Split('\n')[0]["key id  ".Length..];
        Assert.Contains($"only by keys that are not trusted: {signer}\n", verify.Errors);

        var named = stranger.Run("verify", Reference, "--key", Path.Combine(original.Project.Home, ".config/slipway/keys/default.key.pub"));
        Assert.True(named.Code == 0, named.All);
    }

    [Fact]
    public void Without_any_key_nothing_can_be_verified()
    {
        using var nobody = new TinyProject();
        Assert.Equal(3, nobody.Run("verify", Reference).Code);
    }

    [Fact]
    public void Blobs_that_nothing_references_are_named_and_ignored()
    {
        var bytes = "left here by somebody"u8.ToArray();
        var name = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
        File.WriteAllBytes(Path.Combine(copy, "blobs/sha256", name), bytes);
        var verify = original.Project.Run("verify", Reference);
        Assert.True(verify.Code == 0, verify.All);
        Assert.Contains(name[..12], verify.All);
    }

    [Fact]
    public void Skopeo_reads_the_bundle()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/skopeo"), "skopeo is not installed");
        var (code, output) = Tool("/usr/bin/skopeo", "inspect", "--raw", Reference);
        Assert.Equal(0, code);
        Assert.Equal("application/vnd.cncf.model.manifest.v1+json", JsonDocument.Parse(output).RootElement.GetProperty("artifactType").GetString());
    }

    [Fact]
    public void Openssl_confirms_the_signature()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/openssl"), "openssl is not installed");
        var folder = Directory.CreateTempSubdirectory().FullName;
        var attached = Directory.EnumerateFiles(Path.Combine(copy, "blobs/sha256"))
            .Select(File.ReadAllText)
            .Where(text => text.Contains("dsseEnvelope"))
            .Select(text => JsonDocument.Parse(text).RootElement.GetProperty("dsseEnvelope"))
            .ToList();
        Assert.NotEmpty(attached);
        foreach (var envelope in attached)
        {
            var type = envelope.GetProperty("payloadType").GetString()!;
            var body = envelope.GetProperty("payload").GetBytesFromBase64();
            File.WriteAllBytes(Path.Combine(folder, "pae"), [.. System.Text.Encoding.UTF8.GetBytes($"DSSEv1 {type.Length} {type} {body.Length} "), .. body]);
            File.WriteAllBytes(Path.Combine(folder, "sig"), envelope.GetProperty("signatures")[0].GetProperty("sig").GetBytesFromBase64());
            var key = Path.Combine(original.Project.Home, ".config/slipway/keys/default.key.pub");
            Assert.Contains("Verified OK", Tool("/usr/bin/openssl", "dgst", "-sha256", "-verify", key, "-signature", Path.Combine(folder, "sig"), Path.Combine(folder, "pae")).Output);
            File.AppendAllText(Path.Combine(folder, "pae"), " ");
            Assert.DoesNotContain("Verified OK", Tool("/usr/bin/openssl", "dgst", "-sha256", "-verify", key, "-signature", Path.Combine(folder, "sig"), Path.Combine(folder, "pae")).Output);
        }

        Directory.Delete(folder, recursive: true);
    }

    private static string Copy(SealedProject original)
    {
        var folder = Directory.CreateTempSubdirectory("slipway-layout-").FullName;
        TinyProject.CopyFolder(original.Layout, folder);
        return folder;
    }

    private string Blob(string digest) => Path.Combine(copy, "blobs/sha256", digest["sha256:".Length..]);

    private JsonElement Manifest() => JsonDocument.Parse(File.ReadAllText(Blob(original.Digest))).RootElement;

    private static (int Code, string Output) Tool(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
