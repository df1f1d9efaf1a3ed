using System.Diagnostics;

namespace Slipway.EndToEnd;

public sealed class ResealTests
{
    [Fact]
    public void The_same_project_gives_the_same_digest_elsewhere()
    {
        using var here = new TinyProject();
        here.MakeKey();
        var expected = DigestOf(here.Run("run", "--json"));

        using var there = new TinyProject();
        there.MakeKey();     // another key, another home, another folder
        Shell($"cd '{there.Folder}' && git init -q && git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m first");
        Assert.Equal(expected, DigestOf(there.Run("run", "--json")));

        using var odd = new TinyProject();
        odd.MakeKey();
        var run = Shell($"cd '{odd.Folder}' && umask 077 && HOME='{odd.Home}' TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 '{RepositoryRoot.Slipway}' run --json");
        Assert.Equal(expected, DigestOf(run));
    }

    [Fact]
    public void Another_user_gets_the_same_digest()
    {
        Assert.SkipUnless(Environment.UserName == "root", "becoming another user needs root");
        using var here = new TinyProject();
        here.MakeKey();
        var expected = DigestOf(here.Run("run", "--json"));

        using var nobody = new TinyProject();
        nobody.MakeKey();
        // The checkout may lie where nobody else can read it.
        var installed = Directory.CreateTempSubdirectory("slipway-installed-").FullName;
        const string engine = "node_modules/@duckdb/node-bindings-linux-x64";
        var copied = Shell($"cp -r '{RepositoryRoot.Folder}/.build/slipway' '{installed}/' && mkdir -p '{installed}/{engine}' && cp '{RepositoryRoot.Folder}/{engine}/libduckdb.so' '{installed}/{engine}/' && chmod -R a+rX '{installed}'");
        Assert.True(copied.Code == 0, copied.All);
        Assert.Equal(0, Shell($"chown -R 65534:65534 '{nobody.Folder}' '{nobody.Home}'").Code);
        var run = Shell($"cd '{nobody.Folder}' && HOME='{nobody.Home}' setpriv --reuid 65534 --regid 65534 --clear-groups '{installed}/slipway/slipway' run --json");
        Directory.Delete(installed, recursive: true);
        Assert.Equal(expected, DigestOf(run));
    }

    private static string DigestOf(Ended run)
    {
        Assert.True(run.Code == 0, run.All);
        return run.Json.GetProperty("bundle").GetProperty("digest").GetString()!;
    }

    private static Ended Shell(string line)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Ended(process.ExitCode, output, errors.Result);
    }
}
