using System.IO.Compression;
using System.Text;
using Slipway.Documents.Environments;
using Slipway.Primitives.Bytes;
using Slipway.Runtime.Environments;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Runtime.Environments;

public sealed class HostPackagesTests : IDisposable
{
    /// <summary>39 paragraphs, packages p1 to p39, by the lz4 tool of Debian 12.</summary>
    private const string Packed = "BCJNGGRApyYCAAD/J1BhY2thZ2U6IHAxClZlcnNpb246IDEuMQpBcmNoaXRlY3R1cmU6IGFtZDY0ClNIQTI1NjogMAEAKzYxCgp3ABgydwAfMncASRgydwAYM3cAHzN3AEkYM3cAGDR3AB80dwBJGDR3ABg1dwAfNXcASRg1dwAYNncAHzZ3AEkYNncAGDd3AB83dwBJGDd3ABg4dwAfOHcASRg4dwAYOXcAHzl3AEkYOXcAKDEweAAvMTB5AEkZYXkACqkED6oEShlieQAJqwQfMawEShljeQAJrQQfMa4EShlkeQAJrwQfMbAEShlleQAJsQQfMbIEShlmeQAJswQfMbQESSkxMHkACbUEHzG2BEkZMYAHGTG3BB8xuARJGTGCBxkxuQQfMboESRkxhAcZMroEHzK6BEkZMYYHGTK6BB8yugRJGTGIBxkyugQfMroESRkxigcZMroEHzK6BEkZMYwHGTK6BB8yugRJGTGOBxkyugQfMroESRkxkAcZMroEHzK6BEoJkAcZMroEHzK6BEoJkAcZMroEHzK6BEoJkAcZMroEHzK6BEoJkAcZM7oEHzO6BEoJkAcZM7oEHzO6BEoJkAcZM7oEHzO6BEkZMpAHGTO6BB8zugRJGTKQBxkzugQfM7oESRkykAcZM7oEHzO6BEkZMpAHGTO6BB8zugRJGTKQBxkzugQfM7oESRkykAcZM7oEHzO6BEkZMpAHGTO6BB8zugRIUDAyNwoKAAAAAJbi1Fs=";

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static byte[] Text => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(1, 39).Select(i => $"Package: p{i}\nVersion: 1.{i}\nArchitecture: amd64\nSHA256: {i:x64}\n\n")));

    private HostPackages Host()
    {
        Directory.CreateDirectory(folder["lists"]);
        File.WriteAllText(folder["os-release"], "NAME=x\nID=debian\n");
        return new HostPackages(folder["lists"], folder["doc"], folder["os-release"]);
    }

    private static HostFingerprint Environment(params (string, string)[] packages) => HostFingerprint.Of("py", "amd64", SampleRun.Map(packages));

    [Fact]
    public void An_lz4_frame_is_unpacked()
    {
        using var frame = new Lz4Frame(new MemoryStream(Convert.FromBase64String(Packed)));
        using var plain = new MemoryStream();
        frame.CopyTo(plain);
        Assert.Equal(Text, plain.ToArray());
    }

    /// <summary>Every cut and many changes of a frame: an end too soon or a malformed one, and nothing else.</summary>
    [Fact]
    public void A_cut_or_changed_frame_is_told_and_never_read_past_its_end()
    {
        var bytes = Convert.FromBase64String(Packed);
        var random = new Random(1);
        for (var cut = 0; cut < bytes.Length - 4; cut++)
            Assert.ThrowsAny<IOException>(() => Read(bytes[..cut]));
        for (var round = 0; round < 5_000; round++)
        {
            var changed = (byte[])bytes.Clone();
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
            try
            {
                Read(changed);
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
            {
            }
        }

        static void Read(byte[] packed)
        {
            try
            {
                using var frame = new Lz4Frame(new MemoryStream(packed));
                frame.CopyTo(Stream.Null);
            }
            catch (InvalidDataException e)
            {
                throw new EndOfStreamException(e.Message);
            }
        }
    }

    [Theory]
    [InlineData("x_Packages")]
    [InlineData("x_Packages.gz")]
    [InlineData("x_Packages.lz4")]
    public void Digests_come_from_the_lists_for_the_very_version(string name)
    {
        var host = Host();
        if (name.EndsWith("gz"))
        {
            using var gz = new GZipStream(File.Create(folder["lists/" + name]), CompressionLevel.Fastest);
            gz.Write(Text);
        }
        else
        {
            File.WriteAllBytes(folder["lists/" + name], name.EndsWith("lz4") ? Convert.FromBase64String(Packed) : Text);
        }

        var facts = host.Describe(Environment(("p7", "1.7"), ("p8", "1.9"), ("q", "1")), TestContext.Current.CancellationToken);
        Assert.Equal(Digest.Parse("sha256:" + 7.ToString("x64")), facts["p7"].Archive);
        Assert.Null(facts["p8"].Archive);
        Assert.Null(facts["q"].Archive);
    }

    [Fact]
    public void A_list_that_cannot_be_read_and_another_architecture_give_nothing()
    {
        var host = Host();
        File.WriteAllText(folder["lists/a_Packages.lz4"], "not lz4 at all");
        File.WriteAllText(folder["lists/b_Packages"], Encoding.ASCII.GetString(Text).Replace("amd64", "i386"));
        File.WriteAllText(folder["lists/c_Packages.xz"], "");
        Assert.Null(host.Describe(Environment(("p7", "1.7")), TestContext.Current.CancellationToken)["p7"].Archive);
        Assert.Null(new HostPackages(folder["none"], folder["none"], folder["none"]).Describe(Environment(("p7", "1.7")), TestContext.Current.CancellationToken)["p7"].Archive);
    }

    [Fact]
    public void Licences_are_the_names_of_a_formal_copyright_file_alone()
    {
        Directory.CreateDirectory(folder["doc/a"]);
        Directory.CreateDirectory(folder["doc/b"]);
        File.WriteAllText(folder["doc/a/copyright"], "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-2+\n text\n\nFiles: x\nLicense: Expat\n\nLicense: GPL-2+\n");
        File.WriteAllText(folder["doc/b/copyright"], "This package was debianized by …\nLicense: GPL\n");
        var facts = Host().Describe(Environment(("a", "1"), ("b", "1"), ("c", "1")), TestContext.Current.CancellationToken);
        Assert.Equal(["Expat", "GPL-2+"], facts["a"].Licenses);
        Assert.Empty(facts["b"].Licenses);
        Assert.Empty(facts["c"].Licenses);
        Assert.Equal("debian", facts["a"].Distribution);
    }
}
