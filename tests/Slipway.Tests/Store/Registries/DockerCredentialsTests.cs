using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Store.Registries;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Store.Registries;

public sealed class DockerCredentialsTests : IDisposable
{
    private readonly ScratchFolder scratch = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => scratch.Dispose();

    [Fact]
    public async Task Without_a_file_there_are_none() => Assert.Null(await FindAsync("registry.example.org"));

    [Theory]
    [InlineData("registry.example.org"), InlineData("https://registry.example.org"), InlineData("https://registry.example.org/v1/")]
    public async Task A_login_is_found_by_the_names_that_tools_give_it(string name)
    {
        Write("""{"auths":{"NAME":{"auth":"YWxpY2U6c2VjOnJldA=="}, "other.example.org":{"auth":"YTpi"}},"HttpHeaders":{"X":"y"}}""".Replace("NAME", name, StringComparison.Ordinal));
        Assert.Equal(new RegistryCredential("alice", "sec:ret"), await FindAsync("registry.example.org"));
        Assert.Equal(new RegistryCredential("a", "b"), await FindAsync("other.example.org"));
        Assert.Null(await FindAsync("registry.example.org:5000"));
    }

    [Fact]
    public async Task Dockers_own_registry_goes_by_its_old_name()
    {
        Write("""{"auths":{"https://index.docker.io/v1/":{"username":"alice","password":"secret"}}}""");
        Assert.Equal(new RegistryCredential("alice", "secret"), await FindAsync("docker.io"));
    }

    [Fact]
    public async Task An_identity_token_is_known_as_one()
    {
        Write("""{"auths":{"registry.example.org":{"auth":"PHRva2VuPjo=","identitytoken":"it"}}}""");
        Assert.Equal(new RegistryCredential("", "it", IsIdentityToken: true), await FindAsync("registry.example.org"));
    }

    [Theory]
    [InlineData("""{"auths":{"registry.example.org":{"auth":"!"}}}""")]
    [InlineData("""{"auths":{"registry.example.org":{"auth":"YWxpY2U="}}}""")]
    [InlineData("""{"auths":{"registry.example.org":{}}}""")]
    [InlineData("""{"auths":["secret-thing"]}""")]
    [InlineData("""{"credsStore":"../../bin/sh","auths":{}}""")]
    [InlineData("secret-thing")]
    public async Task An_unusable_file_is_named_and_nothing_of_it_shown(string json)
    {
        Write(json);
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => FindAsync("registry.example.org"));
        Assert.Equal((ExitCode.UnusableInput, scratch["config.json"]), (refused.Exit, refused.Faults[0].File));
        Assert.DoesNotContain("secret-thing", refused.Message);
    }

    [Fact]
    public async Task A_helper_is_asked_for_the_host()
    {
        Helper("one", """read host; [ "$1" = get ] && echo "{\"ServerURL\":\"$host\",\"Username\":\"alice\",\"Secret\":\"of $host\"}" """);
        Helper("two", """cat >/dev/null; echo '{"Username":"<token>","Secret":"it"}' """);
        Helper("none", """cat >/dev/null; echo 'credentials not found in native keychain'; exit 1""");
        Write("""{"credsStore":"two","credHelpers":{"registry.example.org":"one","none.example.org":"none"}}""");
        Assert.Equal(new RegistryCredential("alice", "of registry.example.org"), await FindAsync("registry.example.org"));
        Assert.Equal(new RegistryCredential("", "it", IsIdentityToken: true), await FindAsync("other.example.org"));
        Assert.Null(await FindAsync("none.example.org"));
    }

    [Fact]
    public async Task A_helper_learns_no_secret_of_the_environment()
    {
        Environment.SetEnvironmentVariable("SLIPWAY_SECRET_OF_A_TEST", "secret-thing");
        Environment.SetEnvironmentVariable("XDG_OF_A_TEST", "a place");
        Helper("telling", """cat >/dev/null; echo "{\"Username\":\"a\",\"Secret\":\"$(env | cut -d= -f1 | tr '\n' ' ')\"}" """);
        Write("""{"credsStore":"telling"}""");
        var names = (await FindAsync("registry.example.org"))!.Secret.Split(' ');
        Assert.Contains("PATH", names);
        Assert.Contains("XDG_OF_A_TEST", names);
        Assert.DoesNotContain(names, name => name.StartsWith("SLIPWAY_", StringComparison.Ordinal) || name.StartsWith("DOTNET_", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("exit 3")]
    [InlineData("cat >/dev/null; echo secret-thing")]
    [InlineData("cat >/dev/null; echo '{}'")]
    [InlineData("cat >/dev/null; yes secret-thing")]
    [InlineData("cat >/dev/null; echo secret-thing >&2; exit 1")]
    public async Task A_helper_that_fails_is_named_and_nothing_of_it_shown(string script)
    {
        Helper("bad", script);
        Write("""{"credsStore":"bad"}""");
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => FindAsync("registry.example.org"));
        Assert.Equal((ExitCode.NotThere, "credential-helper-failed"), (refused.Exit, refused.Faults[0].Code));
        Assert.DoesNotContain("secret-thing", refused.Message);
    }

    [Fact]
    public async Task A_helper_that_never_answers_is_ended()
    {
        Helper("slow", "exec sleep 1000");
        Write("""{"credsStore":"slow"}""");
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => With(new HurriedTime()).FindAsync("registry.example.org", Stop));
        Assert.Contains("did not answer", refused.Message);
    }

    [Fact]
    public async Task A_helper_that_is_not_there_is_named()
    {
        Write("""{"credsStore":"of-nobody"}""");
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => FindAsync("registry.example.org"));
        Assert.Contains("docker-credential-of-nobody is not there", refused.Message);
    }

    private Task<RegistryCredential?> FindAsync(string host) => With(TimeProvider.System).FindAsync(host, Stop);

    private DockerCredentials With(TimeProvider time) => new(scratch.Root, $"relative:{scratch["bin"]}", time);

    private void Write(string json) => scratch.Write("config.json", Encoding.UTF8.GetBytes(json));

    private void Helper(string name, string script) =>
        File.SetUnixFileMode(scratch.Write($"bin/docker-credential-{name}", Encoding.UTF8.GetBytes("#!/bin/sh\n" + script + "\n")), UnixFileMode.UserRead | UnixFileMode.UserExecute);
}
