using System.Security.Cryptography;
using Slipway.Primitives.Faults;
using Slipway.Tests.Store.Archives;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Trust.Signing;

public sealed class KeyFileTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("correct horse")]
    public void A_saved_key_signs_for_its_public_file(string? passphrase)
    {
        using (var key = SigningKey.Create())
            key.Save(scratch["keys/release"], passphrase);

        using var loaded = SigningKey.Load(scratch["keys/release"], passphrase);
        var trusted = VerificationKey.Load(scratch["keys/release.pub"]);
        Assert.True(trusted.Verify("x"u8, loaded.Sign("x"u8)));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(scratch["keys/release"]));
        Assert.Equal(passphrase is not null, File.ReadAllText(scratch["keys/release"]).Contains("ENCRYPTED", StringComparison.Ordinal));
        Assert.Equal(2, Directory.EnumerateFileSystemEntries(scratch["keys"]).Count());
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_private_key_that_others_may_read_or_change_is_refused(UnixFileMode more)
    {
        using var key = SigningKey.Create();
        key.Save(scratch["a"]);
        File.SetUnixFileMode(scratch["a"], OwnerOnly | more);
        var refused = AssertFault("key-readable-by-others", ExitCode.UnusableInput, () => SigningKey.Load(scratch["a"]));
        Assert.Contains($"chmod 600 {scratch["a"]}", refused.Faults[0].Help);
        File.SetUnixFileMode(scratch["a"], OwnerOnly);
        SigningKey.Load(scratch["a"]).Dispose();
    }

    [Fact]
    public void A_key_in_a_folder_that_others_may_write_is_refused_unless_only_owners_may_replace()
    {
        const UnixFileMode all = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        using var key = SigningKey.Create();
        key.Save(scratch["keys/a"]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(scratch["keys"]));
        File.SetUnixFileMode(scratch["keys"], all | UnixFileMode.OtherWrite);
        Assert.Contains($"chmod go-w {scratch["keys"]}", AssertFault("key-folder-writable-by-others", ExitCode.UnusableInput, () => SigningKey.Load(scratch["keys/a"])).Faults[0].Help);
        File.SetUnixFileMode(scratch["keys"], all | UnixFileMode.GroupWrite);
        AssertFault("key-folder-writable-by-others", ExitCode.UnusableInput, () => SigningKey.Load(scratch["keys/a"]));
        File.SetUnixFileMode(scratch["keys"], all | UnixFileMode.OtherWrite | UnixFileMode.StickyBit);
        SigningKey.Load(scratch["keys/a"]).Dispose();
        File.SetUnixFileMode(scratch["keys"], all);
        SigningKey.Load(scratch["keys/a"]).Dispose();
    }

    [Fact]
    public void A_public_file_says_that_its_key_was_made_without_a_passphrase_and_other_tools_read_it_still()
    {
        using var key = SigningKey.Create();
        key.Save(scratch["plain"]);
        key.Save(scratch["sealed"], "correct horse");
        Assert.True(VerificationKey.Load(scratch["plain.pub"]).IsUnprotected);
        Assert.False(VerificationKey.Load(scratch["sealed.pub"]).IsUnprotected);
        Assert.True(VerificationKey.Parse(VerificationKey.Load(scratch["plain.pub"]).ToPem(), "a").IsUnprotected);
        Assert.Equal(key.PublicKey.KeyId, VerificationKey.Load(scratch["plain.pub"]).KeyId);

        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("openssl", $"pkey -pubin -in {scratch["plain.pub"]} -noout"))!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public void A_key_from_the_environment_is_as_good_as_a_file()
    {
        using var key = SigningKey.Create();
        key.Save(scratch["a"], "correct horse");
        using var read = SigningKey.Parse(File.ReadAllText(scratch["a"]), "correct horse", "SLIPWAY_SIGNING_KEY");
        Assert.Equal(key.PublicKey.KeyId, read.PublicKey.KeyId);
        Assert.Contains("SLIPWAY_SIGNING_KEY", AssertFault("passphrase-missing", ExitCode.NotThere, () => SigningKey.Parse(File.ReadAllText(scratch["a"]), null, "SLIPWAY_SIGNING_KEY")).Message);
        var wrong = AssertFault("not-a-key", ExitCode.UnusableInput, () => SigningKey.Parse("hunter2", null, "SLIPWAY_SIGNING_KEY"));
        Assert.DoesNotContain("hunter2", wrong.ToString());
    }

    [Fact]
    public void An_existing_key_is_never_overwritten()
    {
        using var key = SigningKey.Create();
        key.Save(scratch["a"]);
        var before = File.ReadAllText(scratch["a"]);
        using var other = SigningKey.Create();

        AssertFault("key-exists", ExitCode.UnusableInput, () => other.Save(scratch["a"]));
        File.Delete(scratch["a"]);
        AssertFault("key-exists", ExitCode.UnusableInput, () => other.Save(scratch["a"]));
        Assert.False(File.Exists(scratch["a"]));
        Assert.Contains("PRIVATE KEY", before);
    }

    [Fact]
    public void A_wrong_passphrase_is_told_from_a_missing_one_and_shows_neither()
    {
        using var key = SigningKey.Create();
        key.Save(scratch["a"], "right");

        var wrong = AssertFault("passphrase-wrong", ExitCode.UnusableInput, () => SigningKey.Load(scratch["a"], "hunter2"));
        Assert.Contains("type it again", wrong.Faults[0].Help);
        Assert.DoesNotContain("keys new", AssertFault("key-missing", ExitCode.NotThere, () => VerificationKey.Load(scratch["none.pub"])).Faults[0].Help);
        Assert.DoesNotContain("hunter2", wrong.ToString());
        var missing = AssertFault("passphrase-missing", ExitCode.NotThere, () => SigningKey.Load(scratch["a"]));
        Assert.NotNull(missing.Faults[0].Help);
    }

    [Fact]
    public void Files_that_are_no_such_key_are_told_apart()
    {
        using var key = SigningKey.Create();
        key.Save(scratch["good"]);
        using (var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384))
        {
            WritePrivate(scratch["p384"], p384.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(scratch["p384.pub"], p384.ExportSubjectPublicKeyInfoPem());
        }

        using (var rsa = RSA.Create(2048))
        {
            WritePrivate(scratch["rsa"], rsa.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(scratch["rsa.pub"], rsa.ExportSubjectPublicKeyInfoPem());
        }

        WritePrivate(scratch["text"], "hello");
        WritePrivate(scratch["empty"], "");
        File.WriteAllBytes(scratch["large"], new byte[SigningKey.MaxFileBytes + 1]);
        WritePrivate(scratch["cut"], File.ReadAllText(scratch["good"])[..80]);
        File.WriteAllText(scratch["cut.pub"], "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n-----END PUBLIC KEY-----\n");

        AssertFault("key-wrong-curve", ExitCode.UnusableInput, () => SigningKey.Load(scratch["p384"]));
        AssertFault("key-wrong-curve", ExitCode.UnusableInput, () => VerificationKey.Load(scratch["p384.pub"]));
        AssertFault("key-unreadable", ExitCode.UnusableInput, () => SigningKey.Load(scratch["rsa"]));
        AssertFault("key-unreadable", ExitCode.UnusableInput, () => VerificationKey.Load(scratch["rsa.pub"]));
        AssertFault("key-unreadable", ExitCode.UnusableInput, () => VerificationKey.Load(scratch["cut.pub"]));
        foreach (var name in (string[])["text", "empty", "large", "cut"])
        {
            AssertFault("not-a-key", ExitCode.UnusableInput, () => SigningKey.Load(scratch[name]));
            AssertFault("not-a-key", ExitCode.UnusableInput, () => VerificationKey.Load(scratch[name]));
        }

        AssertFault("key-is-public", ExitCode.UnusableInput, () => SigningKey.Load(scratch["good.pub"]));
        AssertFault("key-is-private", ExitCode.UnusableInput, () => VerificationKey.Load(scratch["good"]));
        AssertFault("key-missing", ExitCode.NotThere, () => SigningKey.Load(scratch["nothing"]));
        AssertFault("key-missing", ExitCode.NotThere, () => KeyRing.Load([scratch["nothing"]]));
    }

    [Fact]
    public void A_key_ring_reads_files_and_the_public_keys_of_folders_each_once()
    {
        using var one = SigningKey.Create();
        using var two = SigningKey.Create();
        one.Save(scratch["folder/one"]);
        two.Save(scratch["two"]);

        var ring = KeyRing.Load([scratch["folder"], scratch["two.pub"], scratch["folder/one.pub"]]);

        Assert.Equal(new[] { one, two }.Select(key => key.PublicKey.KeyId).Order(StringComparer.Ordinal), ring.Keys.Select(key => key.KeyId));
        Assert.Equal(one.PublicKey.KeyId, ring.Find(one.PublicKey.Hint)?.KeyId);
        Assert.Equal(two.PublicKey.KeyId, ring.Find(two.PublicKey.KeyId)?.KeyId);
        Assert.Null(ring.Find(null));
        Directory.CreateDirectory(scratch["empty"]);
        Assert.True(KeyRing.Load([scratch["empty"]]).IsEmpty);
    }

    [Fact]
    public void The_hint_is_the_one_that_cosign_writes()
    {
        var key = VerificationKey.Load(Path.Combine(AppContext.BaseDirectory, "Trust/Attestations/vectors/managed-key.pub"));

        Assert.Equal("TLMsSDfG3ajPsWge+z/vX5T/zluXnmvbkTkwLIV68Tk=", key.Hint);
        Assert.Equal("4cb32c4837c6dda8cfb1681efb3fef5f94ffce5b979e6bdb9139302c857af139", key.KeyId);
    }

    private static void WritePrivate(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, OwnerOnly);
    }

    private static SlipwayException AssertFault(string code, ExitCode exit, Action action)
    {
        var refused = Assert.Throws<SlipwayException>(action);
        Assert.Equal((code, exit), (Assert.Single(refused.Faults).Code, refused.Exit));
        return refused;
    }
}
