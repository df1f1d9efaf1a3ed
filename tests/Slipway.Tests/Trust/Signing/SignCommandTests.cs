using System.Collections;
using Slipway.Primitives.Faults;
using Slipway.Tests.Store.Archives;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Trust.Signing;

public sealed class SignCommandTests : IDisposable
{
    private readonly ScratchFolder scratch = new();
    private readonly SigningKey key = SigningKey.Create();
    private readonly Dictionary<string, string> environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(variable => (string)variable.Key, variable => (string)variable.Value!);

    public SignCommandTests() => key.Save(scratch["key"]);

    public void Dispose()
    {
        key.Dispose();
        scratch.Dispose();
    }

    private string OpenSsl => $"openssl pkeyutl -sign -inkey {scratch["key"]} -pkeyopt digest:sha256";

    [Fact]
    public void A_command_of_openssl_signs_for_the_public_key()
    {
        var signature = Command(OpenSsl).Sign("data"u8);
        Assert.True(key.PublicKey.Verify("data"u8, signature));
        Assert.False(key.PublicKey.Verify("date"u8, signature));
    }

    [Fact]
    public void The_digest_is_in_the_environment_as_well_and_our_secrets_are_not()
    {
        environment[SignCommand.KeyVariable] = "the private key";
        environment[SignCommand.PassphraseVariable] = "correct horse";
        environment["PIN"] = "1234";
        var script = $"""test -z "$SLIPWAY_SIGNING_KEY$SLIPWAY_KEY_PASSPHRASE" && test "$PIN" = 1234 && test ${"{#SLIPWAY_DIGEST}"} = 64 && {OpenSsl}""";
        Assert.True(key.PublicKey.Verify("data"u8, Command(script).Sign("data"u8)));
    }

    [Theory]
    [InlineData("true", "sign-command-signature")]
    [InlineData("cat", "sign-command-signature")]
    [InlineData("exit 3", "sign-command-failed")]
    [InlineData("kill -9 $$", "sign-command-failed")]
    [InlineData("no-such-program", "sign-command-failed")]
    [InlineData("yes", "sign-command-output")]
    [InlineData("yes >&2", "sign-command-output")]
    [InlineData("head -c 70000 /dev/zero", "sign-command-output")]
    public void Whatever_is_no_signature_is_a_fault(string command, string code)
    {
        var refused = Assert.Throws<SlipwayException>(() => Command(command).Sign("data"u8));
        Assert.Equal((ExitCode.NotThere, code), (refused.Exit, refused.Faults[0].Code));
        Assert.NotNull(refused.Faults[0].Help);
    }

    [Fact]
    public void A_signature_by_another_key_or_of_another_digest_is_never_handed_on()
    {
        using var other = SigningKey.Create();
        other.Save(scratch["other"]);
        AssertWrong(OpenSsl.Replace(scratch["key"], scratch["other"], StringComparison.Ordinal));
        AssertWrong($"openssl dgst -sha256 -sign {scratch["key"]}");     // which hashes the digest once more

        void AssertWrong(string command) => Assert.Equal("sign-command-signature", Assert.Throws<SlipwayException>(() => Command(command).Sign("data"u8)).Faults[0].Code);
    }

    [Fact]
    public void What_the_command_says_of_its_failure_is_told_and_is_printable()
    {
        var refused = Assert.Throws<SlipwayException>(() => Command(@"printf 'token \033[2Jnot there\n' >&2; exit 4").Sign("data"u8));
        Assert.Contains("exited with 4: token  [2Jnot there", refused.Message);
    }

    private SignCommand Command(string command) => new(command, key.PublicKey, scratch.Root, environment);
}
